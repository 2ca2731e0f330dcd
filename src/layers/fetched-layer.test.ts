import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CodedError } from '../base/error.ts';
import { digestOf, MEDIA } from '../oci/index.ts';
import { openFetched, readFetched } from './fetched-layer.ts';
import { signal, streamOf } from './layers.fixture.ts';

const TAR = Buffer.from('the bytes of a layer '.repeat(500));

function fetched(blob: Uint8Array, diffId = digestOf(TAR)) {
  const good = gzipSync(TAR);
  const descriptor = { mediaType: MEDIA.ociLayerGzip, digest: digestOf(good), size: good.length };
  return { descriptor, diffId, blob: streamOf(blob), signal };
}

async function bytesOf(tar: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('a layer that is fetched', () => {
  it('is its tar', async () => {
    assert.deepEqual(await readFetched(fetched(gzipSync(TAR)), bytesOf), TAR);
  });

  it('is refused when it is another blob, or unpacks to something else', async () => {
    const other = gzipSync(Buffer.concat([TAR, TAR]));
    await assert.rejects(readFetched(fetched(other), bytesOf), { code: /^INVALID_(DIGEST|SIZE)$/ });
    const wrong = fetched(gzipSync(TAR), digestOf(Buffer.from('else')));
    await assert.rejects(readFetched(wrong, bytesOf), { code: 'INVALID_DIGEST' });
  });

  it('that somebody does not like was the wrong one, when it was', async () => {
    const dislike = async (tar: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const _ of tar) throw new CodedError('TAR_PATH', 'a path that leads out');
    };
    await assert.rejects(readFetched(fetched(gzipSync(TAR)), dislike), { code: 'TAR_PATH' });
    const other = gzipSync(Buffer.concat([TAR, Buffer.from('!')]));
    await assert.rejects(readFetched(fetched(other), dislike), { code: /^INVALID_(DIGEST|SIZE)$/ });
  });

  it('stays open when its reader leaves, and is closed by its owner', async () => {
    let closed = 0;
    const source = fetched(gzipSync(TAR));
    const blob = (async function* () {
      try {
        yield* source.blob;
      } finally {
        closed++;
      }
    })();
    const opened = openFetched({ ...source, blob });
    for await (const _ of opened.tar) break;
    assert.equal(closed, 0);
    await opened.close();
    assert.equal(closed, 1);
  });
});
