import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SampleEntry, SampleImage } from '../../../test/support/oci-image.ts';
import { imageIn, newStorage, OPTIONS, pulled } from '../storage/storage.fixture.ts';
import { describeImage, sizeOf } from './index.ts';

const PLACES = { directories: { run: '/run', state: '/var/lib', conf: '/etc' } } as Parameters<
  typeof describeImage
>[0]['places'];

async function described(t: TestContext, layers: readonly (readonly SampleEntry[])[], more: SampleImage = {}) {
  const repository = newStorage(t);
  const made = await imageIn(t, layers, more);
  const { image } = await pulled(t, repository, made.name);
  const description = await describeImage({ places: PLACES }, repository, image, OPTIONS);
  return { ...description, made, expectedSize: sizeOf(repository, image) };
}

const MANIFEST = JSON.stringify({
  version: '1.0',
  defaultValues: { PORT: 80, UNUSED: 'x' },
  renameFiles: { '/etc/app.conf': '$CONF_DIRECTORY/$NAME/$SITE.conf', '/opt/app': '$DATA_DIR/app' },
});

describe('what an image is', () => {
  it('is told with its labels, its variables and its files on the host', async (t) => {
    const file = (path: string, content = ''): SampleEntry => ({ path: `exports/${path}`, content });
    const found = await described(
      t,
      [
        [
          file('manifest.json', MANIFEST),
          file('service.template', '[Service]\nExecStart=$EXEC_START $PORT $$HOME\n'),
          file('config.json.template', '{"x": "$MESSAGE"}'),
          file('hostfs/etc/app.conf'),
          file('hostfs/opt/app'),
          file('hostfs/usr/local/bin/appctl'),
        ],
      ],
      { config: { config: { Labels: { 'atomic.type': 'system', version: '2' } } } },
    );
    assert.deepEqual(Object.fromEntries(found.labels), { 'atomic.type': 'system', version: '2' });
    assert.deepEqual(Object.fromEntries(found.defaults), { PORT: '80', UNUSED: 'x' });
    assert.ok(found.required.includes('MESSAGE'));
    assert.deepEqual(found.hostFiles, ['/$DATA_DIR/app', '/etc/app-v1/$SITE.conf', '/usr/local/bin/appctl']);
    assert.deepEqual([found.hasExports, found.hasService, found.hasCheck], [true, true, false]);
    assert.equal(found.size, found.made.tars[0]?.length);
  });

  it('is told of one that exports nothing', async (t) => {
    const found = await described(t, [[{ path: 'a', content: '' }], [{ path: 'b', content: '' }]]);
    assert.deepEqual([found.hasExports, found.hostFiles, found.required], [false, [], []]);
    assert.equal(found.size, found.expectedSize);
    assert.ok(found.findings.length > 0);
  });
});
