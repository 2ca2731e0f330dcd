import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError } from '../../base/error.ts';
import type { ProgressEvent } from '../../base/progress.ts';
import { generateSecretKey } from '../manifest/key.ts';
import { entries, key, manifestOf, secret, signLines } from '../manifest/manifest.fixture.ts';
import { openManifest, sealManifest } from '../manifest/manifest.ts';
import type { Origin, ReceivedManifest } from './origin.ts';
import { type Known, receiveManifest } from './receive-manifest.ts';

const STRANGER = generateSecretKey();
const file = (text: string, by = secret): Uint8Array => sealManifest(entries(text), by);

/** The same manifest with something in its signature that is no base64. */
function spoiled(manifest: Uint8Array): Uint8Array {
  return Buffer.from(manifest).fill('!', manifest.length - 20, manifest.length - 3);
}

type Answer = ReceivedManifest | Uint8Array | Error;

/** An origin in memory: it gives its answer and notes with which tags it was asked. */
class MemoryOrigin implements Origin {
  readonly shown: string;
  readonly asked: (string | undefined)[] = [];
  readonly #answer: Answer;

  constructor(name: string, answer: Answer) {
    this.shown = `https://${name}.example.com/`;
    this.#answer = answer;
  }

  async readManifest(etag: string | undefined): Promise<ReceivedManifest> {
    this.asked.push(etag);
    const answer = this.#answer;
    if (answer instanceof Error) throw answer;
    return 'kind' in answer ? answer : { kind: 'document', bytes: answer, etag: '"fresh"' };
  }

  async readImage(): Promise<void> {
    assert.fail('nobody asked for an image');
  }
}

const GRAVITY = ['HTTP_UNREACHABLE', 'HTTP_STATUS', 'INVALID_MANIFEST', 'OLDER_MANIFEST', 'INVALID_SIGNATURE'];
const gravity = (error: unknown): number => (error instanceof CodedError ? GRAVITY.indexOf(error.code) : -1);
const unreachable = new CodedError('HTTP_UNREACHABLE', 'no connection');

function known(text: string, etag: string | null = null, origin: string | null = null): Known {
  return { manifest: manifestOf(text), etag, origin: origin && `https://${origin}.example.com/` };
}

async function receive(
  stored: Known | undefined,
  origins: readonly Origin[],
  { keys = [key], signal = new AbortController().signal } = {},
) {
  const events: ProgressEvent[] = [];
  const ports = { origins, keys, gravity, progress: (event: ProgressEvent) => void events.push(event) };
  const settled = await receiveManifest(stored, ports, signal).then(
    (received) => ({ received, error: undefined }),
    (error: unknown) => ({ received: undefined, error }),
  );
  const versions = settled.received?.manifest.entries.map((entry) => entry.version.text).join(' ');
  const code = settled.error instanceof CodedError ? settled.error.code : undefined;
  return { ...settled, versions, code, warnings: events.filter((event) => event.kind === 'warning').length };
}

describe('receiving a manifest', () => {
  it('takes the first one when nothing is stored', async () => {
    const { received, versions, warnings } = await receive(undefined, [new MemoryOrigin('a', file('1.0=a'))]);
    assert.deepEqual([versions, warnings], ['1.0', 0]);
    assert.deepEqual([received?.origin, received?.etag], ['https://a.example.com/', '"fresh"']);
    assert.deepEqual(Buffer.from(received?.manifest.bytes ?? []), Buffer.from(file('1.0=a')));
  });

  it('takes one that is equal to the stored one, or has more', async () => {
    for (const text of ['1.0=a', '1.0=a 1.1=b', '0.9=c 1.0=a']) {
      const { received } = await receive(known('1.0=a'), [new MemoryOrigin('a', file(text))]);
      assert.deepEqual(received?.manifest.entries, entries(text));
    }
  });

  it('asks no second origin when the first one answers well', async () => {
    const second = new MemoryOrigin('b', file('1.0=a 9.0=b'));
    const { versions } = await receive(known('1.0=a'), [new MemoryOrigin('a', file('1.0=a')), second]);
    assert.deepEqual([versions, second.asked], ['1.0', []]);
  });

  it('takes one that any of several keys had signed', async () => {
    const origin = new MemoryOrigin('a', file('1.0=a', STRANGER));
    assert.equal((await receive(known('1.0=a'), [origin], { keys: [key, STRANGER.publicKey] })).versions, '1.0');
    assert.equal((await receive(known('1.0=a'), [origin])).code, 'INVALID_SIGNATURE');
  });
});

describe('an origin', () => {
  const good = (): MemoryOrigin => new MemoryOrigin('good', file('1.0=a 1.1=b'));
  const html = Buffer.from('<!DOCTYPE html>\n');

  for (const [what, answer] of [
    ['that cannot be reached', unreachable],
    ['that fails with an error of the system', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
    ['that has no manifest', new CodedError('HTTP_STATUS', '404')],
    ['that serves a web page', html],
    ['that serves nothing', new Uint8Array()],
    ['that serves half a manifest', file('1.0=a').subarray(0, 60)],
    ['that serves a damaged signature', spoiled(file('1.0=a'))],
    ['that serves a manifest of another key', file('1.0=a 1.1=b', STRANGER)],
    ['that serves a signed entry that is none', signLines(['garbage'])],
    ['that serves an older manifest', file('1.0=a')],
    ['that serves an empty, older manifest', file('')],
  ] as const) {
    it(`${what} is skipped with a warning`, async () => {
      const bad = new MemoryOrigin('bad', answer);
      const { versions, received, warnings } = await receive(known('1.0=a 1.1=b'), [bad, good()]);
      assert.deepEqual([versions, received?.origin, warnings], ['1.0 1.1', 'https://good.example.com/', 1]);
      assert.equal(bad.asked.length, 1);
    });
  }

  it('that is the only one fails the run, and there is nothing to warn of', async () => {
    for (const [answer, code] of [
      [unreachable, 'HTTP_UNREACHABLE'],
      [html, 'INVALID_MANIFEST'],
      [file('1.0=a', STRANGER), 'INVALID_SIGNATURE'],
      [spoiled(file('1.0=a')), 'INVALID_SIGNATURE_DATA'],
      [file(''), 'OLDER_MANIFEST'],
    ] as const) {
      const result = await receive(known('1.0=a'), [new MemoryOrigin('a', answer)]);
      assert.deepEqual([result.code, result.warnings], [code, 0]);
    }
  });

  it('is named by the error about its manifest, which says that the remote one is meant', async () => {
    const { error } = await receive(undefined, [new MemoryOrigin('a', html)]);
    assert.ok(error instanceof CodedError);
    assert.equal(error.subject, 'https://a.example.com/manifest');
    assert.match(error.message, /remote/);
  });

  it('may fail as often as there is another one', async () => {
    const bad = [unreachable, html, file('1.0=a')].map((answer, i) => new MemoryOrigin(`bad${i}`, answer));
    const { versions, warnings } = await receive(known('1.0=a 1.1=b'), [...bad, good()]);
    assert.deepEqual([versions, warnings], ['1.0 1.1', 3]);
  });
});

describe('a manifest that contradicts the stored one', () => {
  const contradicting = () => new MemoryOrigin('bad', file('1.0=b'));

  it('ends the run at once: no other origin is asked', async () => {
    const second = new MemoryOrigin('b', file('1.0=a'));
    const { code, warnings } = await receive(known('1.0=a'), [contradicting(), second]);
    assert.deepEqual([code, warnings, second.asked], ['NOT_A_SUPERSET', 0, []]);
  });

  it('ends the run also after an origin that was skipped, and however grave that was', async () => {
    const first = new MemoryOrigin('a', file('1.0=a', STRANGER));
    assert.equal((await receive(known('1.0=a'), [first, contradicting()])).code, 'NOT_A_SUPERSET');
  });

  it('is one that lost an entry and gained another, or that is in another order', async () => {
    for (const remote of [
      file('1.0=a 1.2=c'),
      signLines(['1.1', '1.0'].map((v) => `${v} 6 ${(v === '1.0' ? 'a' : 'b').repeat(64)}`)),
    ]) {
      assert.equal((await receive(known('1.0=a 1.1=b'), [new MemoryOrigin('a', remote)])).code, 'NOT_A_SUPERSET');
    }
  });

  it('says nothing when another key had signed it', async () => {
    const bad = new MemoryOrigin('bad', file('1.0=b', STRANGER));
    const { versions } = await receive(known('1.0=a'), [bad, new MemoryOrigin('good', file('1.0=a'))]);
    assert.equal(versions, '1.0');
  });
});

describe('when no origin is left', () => {
  it('the run ends with the gravest of their errors, wherever it stood', async () => {
    const answers = [unreachable, file('1.0=a', STRANGER), Buffer.from('<html>')];
    for (const order of [
      [0, 1, 2],
      [1, 0, 2],
      [2, 0, 1],
      [0, 2, 1],
    ]) {
      const origins = order.map((i) => new MemoryOrigin(`o${i}`, answers[i] ?? unreachable));
      const { code, warnings } = await receive(known('1.0=a'), origins);
      assert.deepEqual([code, warnings], ['INVALID_SIGNATURE', 3]);
    }
  });

  it('the first of equally grave errors counts', async () => {
    const errors = ['first', 'second'].map((text) => new CodedError('HTTP_UNREACHABLE', text));
    const { error } = await receive(
      undefined,
      errors.map((answer, i) => new MemoryOrigin(`o${i}`, answer)),
    );
    assert.equal(error, errors[0]);
  });

  it('all of them being older makes the run end with that', async () => {
    const origins = ['a', 'b'].map((name) => new MemoryOrigin(name, file('1.0=a')));
    assert.equal((await receive(known('1.0=a 1.1=b'), origins)).code, 'OLDER_MANIFEST');
  });
});

describe('a conditional request', () => {
  const unchanged: ReceivedManifest = { kind: 'unchanged' };

  it('is made with the tag of the stored manifest, and "unchanged" means that one', async () => {
    const stored = known('1.0=a', '"tag"', 'a');
    const origin = new MemoryOrigin('a', unchanged);
    const { received } = await receive(stored, [origin]);
    assert.deepEqual(origin.asked, ['"tag"']);
    assert.equal(received?.manifest, stored.manifest);
    assert.deepEqual([received?.etag, received?.origin], ['"tag"', 'https://a.example.com/']);
  });

  it('is made only to the origin that gave the tag', async () => {
    const first = new MemoryOrigin('first', unreachable);
    const second = new MemoryOrigin('second', unchanged);
    assert.equal((await receive(known('1.0=a', '"tag"', 'second'), [first, second])).versions, '1.0');
    assert.deepEqual([first.asked, second.asked], [[undefined], ['"tag"']]);
  });

  it('is not made without a tag, without an origin, or without a stored manifest', async () => {
    for (const stored of [known('1.0=a', null, 'a'), known('1.0=a', '"tag"', null), undefined]) {
      const origin = new MemoryOrigin('a', file('1.0=a'));
      await receive(stored, [origin]);
      assert.deepEqual(origin.asked, [undefined]);
    }
  });

  it('that is answered by a new manifest gives the new tag', async () => {
    const { received } = await receive(known('1.0=a', '"tag"', 'a'), [new MemoryOrigin('a', file('1.0=a 2.0=b'))]);
    assert.equal(received?.etag, '"fresh"');
  });

  it('is not possible next time when the server gave no tag, or one beyond all measure', async () => {
    for (const [etag, kept] of [
      [undefined, null],
      ['x'.repeat(1025), null],
      ['x'.repeat(1024), 'x'.repeat(1024)],
    ] as const) {
      const origin = new MemoryOrigin('a', { kind: 'document', bytes: file('1.0=a'), etag });
      assert.equal((await receive(known('1.0=a', '"tag"', 'a'), [origin])).received?.etag, kept);
    }
  });
});

describe('an interruption', () => {
  it('ends the run at once: it is no failure of an origin', async () => {
    const controller = new AbortController();
    const reason = new Error('interrupted');
    const first = new MemoryOrigin('a', file('1.0=a'));
    first.readManifest = async () => {
      controller.abort(reason);
      throw reason;
    };
    const second = new MemoryOrigin('b', file('1.0=a'));
    const { error, warnings } = await receive(undefined, [first, second], { signal: controller.signal });
    assert.deepEqual([error, warnings, second.asked], [reason, 0, []]);
  });
});

describe('what was received', () => {
  it('is a manifest whose signature was checked', async () => {
    const { received } = await receive(undefined, [new MemoryOrigin('a', file('1.0=a 2.0=b'))]);
    assert.deepEqual(openManifest(received?.manifest.bytes ?? new Uint8Array(), [key]).entries, entries('1.0=a 2.0=b'));
  });
});
