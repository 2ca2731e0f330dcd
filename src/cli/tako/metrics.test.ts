import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { silent } from '../../base/progress.ts';
import { type Config, parseConfig } from '../../tako/index.ts';
// The test vector of the specification: 1.0.0 and 1.1-rc.1 are one image, 1.1 is another.
import { HELLO, PUBLIC_TEXT, VECTOR, WORLD } from '../../tako/manifest/manifest.fixture.ts';
import { Output } from '../output.ts';
import type { Context } from '../program.ts';
import { tryMetrics } from './metrics.ts';

const context: Context = {
  output: new Output('tako', {}),
  progress: { emit: silent, close: () => undefined },
  signal: new AbortController().signal,
};
const AT = '2024-03-01T12:00:00Z';

function config(name: string, destination: string, version = '*'): Config {
  const text = `Origin=https://example.com/\nPublicKey=${PUBLIC_TEXT}\nVersion=${version}\nDestination=${destination}\n`;
  return parseConfig(Buffer.from(text), `/etc/tako/${name}`);
}

/** A destination with 1.0.0 linked. */
function destination(t: TestContext, state: object = {}): string {
  const root = scratch(t);
  for (const name of ['store', '.tako']) fs.mkdirSync(join(root, name));
  fs.writeFileSync(join(root, 'manifest'), VECTOR);
  fs.writeFileSync(join(root, 'store', HELLO), 'hello\n');
  fs.symlinkSync(`store/${HELLO}`, join(root, 'latest'));
  fs.writeFileSync(join(root, '.tako/state.json'), JSON.stringify({ schema: 'tako.state/1', ...state }));
  return root;
}

/** Values by metric and name, and the status. */
async function metrics(t: TestContext, ...configs: readonly Config[]) {
  const file = join(scratch(t), 'tako.prom');
  const status = await tryMetrics(file, configs, context);
  const text = fs.readFileSync(file, 'utf8');
  const samples = [...text.matchAll(/^tako_(\w+)\{program="tako",name="([^"]*)"\} (\S+)$/gm)];
  return {
    status,
    text,
    values: Object.fromEntries(samples.map(([, metric, name, value]) => [`${metric} ${name}`, Number(value)])),
  };
}

describe('the metrics of a run', () => {
  it('are a time, two truths and a size for each configuration', async (t) => {
    const good = destination(t, { succeededAt: AT });
    const { status, text, values } = await metrics(t, config('app', good), config('pinned', good, '1.0.0'));
    assert.equal(status, 0);
    assert.deepEqual(values, {
      'last_success_timestamp_seconds app': Date.parse(AT) / 1000,
      'last_success_timestamp_seconds pinned': Date.parse(AT) / 1000,
      'update_available app': 1,
      'update_available pinned': 0,
      'health app': 1,
      'health pinned': 1,
      'store_bytes app': 6,
      'store_bytes pinned': 6,
    });
    assert.equal(text.match(/^# TYPE \S+ gauge$/gm)?.length, 4);
    assert.ok(text.endsWith('\n# EOF\n'));
  });

  it('say that units were not restarted, or that the newest version did not stay healthy', async (t) => {
    const owed = {
      restart: ['a.service'],
      reload: [],
      image: HELLO,
      previous: null,
      reason: 'update',
      at: AT,
      runner: null,
    };
    const skip = [{ version: '1.1', reason: 'health', at: AT }];
    for (const state of [{ owed }, { skip }]) {
      assert.equal((await metrics(t, config('app', destination(t, state)))).values['health app'], 0);
    }
  });

  it('have no time of success before there was one', async (t) => {
    const { values } = await metrics(t, config('app', destination(t)));
    assert.equal('last_success_timestamp_seconds app' in values, false);
    assert.equal(values['store_bytes app'], 6);
  });

  it('have nothing of a configuration that cannot be looked at, and all of the others', async (t) => {
    const damaged = destination(t);
    fs.writeFileSync(join(damaged, 'manifest'), 'x');
    const { status, values } = await metrics(
      t,
      config('gone', '/nonexistent/x'),
      config('damaged', damaged),
      config('app', destination(t)),
    );
    assert.equal(status, 0);
    assert.deepEqual(
      Object.keys(values).filter((name) => !name.endsWith(' app')),
      [],
    );
    assert.equal(values['update_available app'], 1);
  });

  it('are written before the first fetch, too', async (t) => {
    const { values } = await metrics(t, config('new', scratch(t)));
    assert.deepEqual(values, { 'update_available new': 0, 'health new': 1, 'store_bytes new': 0 });
  });

  it('of no configuration are an empty file', async (t) => {
    assert.equal((await metrics(t)).text, '# EOF\n');
  });

  it('take no update for available that is withdrawn, or whose image is linked under another version', async (t) => {
    const { values } = await metrics(
      t,
      config('withdrawn', destination(t, { withdrawn: [WORLD] })),
      config('same', destination(t), '1.0.0 <= v < 1.1'),
    );
    assert.deepEqual([values['update_available withdrawn'], values['update_available same']], [0, 0]);
  });

  it('that cannot be written are a failure that is told, and no exception', async (t) => {
    const write = t.mock.method(process.stderr, 'write', () => true);
    assert.equal(await tryMetrics(join(scratch(t), 'none/tako.prom'), [], context), 1);
    const told = write.mock.calls.map((call) => String(call.arguments[0])).join('');
    write.mock.restore();
    assert.match(told, /^tako: metrics file .*none\/tako\.prom: /);
  });
});
