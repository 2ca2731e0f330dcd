import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RunRequest, runConfig } from './image-config.ts';

const REQUEST: RunRequest = {
  command: undefined,
  shell: ['/bin/sh'],
  webserver: 'own',
  shellByDefault: false,
  labels: { b: '2', a: '1' },
  base: undefined,
};
const configFor = (changed: Partial<RunRequest>) => runConfig({ ...REQUEST, ...changed });

describe('the configuration of an image', () => {
  it('serves by default, and has no command that would keep it from that', () => {
    const config = configFor({ base: { Cmd: ['/x'], Entrypoint: ['/y'] } });
    assert.deepEqual(config.Entrypoint, ['/ostree/repo-webserver']);
    assert.equal(config.Cmd, undefined);
    assert.deepEqual(config.ExposedPorts, { '8080/tcp': {} });
  });

  it('names the shell in the environment, for the entry point to read', () => {
    const { Env } = configFor({ command: ['zsh', '-l'], base: { Env: ['A=b', 'OSTREE_CONTAINER_CMD=["old"]'] } });
    assert.deepEqual(Env, ['A=b', 'OSTREE_CONTAINER_CMD=["zsh","-l"]']);
  });

  for (const [what, changed] of [
    ['without a web server', { webserver: 'none' }],
    ['with a web server of somebody else', { webserver: 'foreign' }],
    ['when that is wanted', { shellByDefault: true }],
  ] as const) {
    it(`runs the shell ${what}`, () => {
      assert.deepEqual(configFor(changed).Cmd, ['/bin/sh']);
      assert.equal(configFor(changed).Entrypoint, undefined);
      assert.deepEqual(configFor({ ...changed, command: ['id'] }).Cmd, ['id']);
      assert.deepEqual(configFor({ ...changed, shell: undefined, base: { Cmd: ['/x'] } }).Cmd, ['/x']);
    });
  }

  it('merges labels, of which ours win, and leaves out what the base says of its own repository', () => {
    const Labels = { a: 'base', foo: 'bar', 'ostree.final-diffid': 'x', 'ostree.seed.contents': 'y' };
    assert.deepEqual(Object.entries(configFor({ base: { Labels } }).Labels ?? {}), [
      ['a', '1'],
      ['b', '2'],
      ['foo', 'bar'],
    ]);
  });
});
