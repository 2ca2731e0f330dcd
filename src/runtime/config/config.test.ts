import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RuntimeError } from '../error.ts';
import { changeConfig } from './changes.ts';
import { formatConfig, parseRuntimeConfig, type RuntimeConfig } from './config.ts';
import { assertDeployable } from './deployable.ts';

const parse = (value: unknown): RuntimeConfig => parseRuntimeConfig(Buffer.from(JSON.stringify(value)), 'config.json');
const GOOD = {
  ociVersion: '1.0.0',
  process: { terminal: false, user: { uid: 7, gid: 8 }, args: ['/bin/kvd'], env: ['A=b'], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/run', type: 'bind', source: '/run/kvd', options: ['rbind', 'rw'] },
    { destination: '/etc/kvd', type: 'none', source: '/etc/kvd', options: ['bind', 'ro'] },
  ],
  linux: { namespaces: [{ type: 'pid' }, { type: 'network', path: '/run/netns/x' }] },
};

describe('a runtime configuration', () => {
  it('tells what matters to the host', () => {
    const config = parse(GOOD);
    assert.deepEqual(config.root, { path: 'rootfs', readonly: true });
    assert.deepEqual(config.process, {
      terminal: false,
      args: ['/bin/kvd'],
      env: ['A=b'],
      cwd: '/',
      user: { uid: 7, gid: 8 },
    });
    assert.deepEqual(config.bindSources, [
      { path: '/run/kvd', destination: '/run', isReadOnly: false },
      { path: '/etc/kvd', destination: '/etc/kvd', isReadOnly: true },
    ]);
    assert.deepEqual(
      [...config.namespaces],
      [
        ['pid', ''],
        ['network', '/run/netns/x'],
      ],
    );
    assert.deepEqual(config.hooks, []);
  });

  it('is written with all of it, unknown fields and large numbers included', () => {
    const text = '{"x": {"y": 18446744073709551615}, "root": {"path": "rootfs", "readonly": true}, "mounts": []}';
    const written = Buffer.from(formatConfig(parseRuntimeConfig(Buffer.from(text), 'f'))).toString();
    assert.equal(written.replace(/\s/g, ''), text.replace(/\s/g, ''));
    assert.ok(written.endsWith('}\n'));
  });

  it('takes null for a field that is not there', () => {
    const config = parse({ process: null, root: null, mounts: null, hooks: null, linux: { namespaces: null } });
    assert.deepEqual([config.process, config.mounts, config.hooks, config.root.path], [undefined, [], [], '']);
  });

  it('knows the hooks that would run, known ones and others', () => {
    const hooks = { prestart: [{ path: '/bin/x' }], poststop: [], poststart: null, another: [{}] };
    assert.deepEqual(parse({ hooks }).hooks, ['prestart', 'another']);
  });

  it('knows annotations that crun takes for orders', () => {
    const annotations = {
      'run.oci.seccomp.plugins': '/x.so',
      'run.oci.hooks.stdout': '/x',
      'run.oci.handler': 'krun',
      a: 'b',
    };
    const found = parse({ annotations }).hostAnnotations;
    assert.deepEqual(found, ['run.oci.seccomp.plugins', 'run.oci.hooks.stdout', 'run.oci.handler']);
    assert.deepEqual(parse({}).hostAnnotations, []);
  });

  for (const [name, value] of [
    ['Hooks', { Hooks: { prestart: [{ path: '/x' }] } }],
    ['hooKs with a Kelvin sign', { 'hoo\u212as': { prestart: [{ path: '/x' }] } }],
    ['hookſ with a long s', { 'hook\u017f': { prestart: [{ path: '/x' }] } }],
    ['Readonly', { root: { path: 'rootfs', readonly: true, Readonly: false } }],
    ['MOUNTS', { MOUNTS: [] }],
    ['Source of a mount', { mounts: [{ destination: '/a', Source: '/etc/shadow', options: ['bind'] }] }],
    ['PreStart', { hooks: { PreStart: [{ path: '/x' }] } }],
    ['Terminal', { process: { Terminal: true } }],
    ['Namespaces', { linux: { Namespaces: [] } }],
  ] as const) {
    it(`with the field ${name}, which runc takes for another one, is refused`, () => {
      assert.throws(() => parse(value), { code: 'BAD_CONTAINER_CONFIG' });
    });
  }

  for (const [flaw, value] of [
    ['a list', []],
    ['mounts that are an object', { mounts: {} }],
    ['a mount that is a string', { mounts: ['/etc'] }],
    ['options that are no strings', { mounts: [{ options: [1] }] }],
    ['a read-only that is a string', { root: { readonly: 'true' } }],
    ['an id below 0', { process: { user: { uid: -1 } } }],
    ['an id that is "nobody at all"', { process: { user: { gid: 2 ** 32 - 1 } } }],
    ['two network namespaces', { linux: { namespaces: [{ type: 'network' }, { type: 'network', path: '/x' }] } }],
  ] as const) {
    it(`with ${flaw} is refused`, () => assert.throws(() => parse(value), { code: 'BAD_CONTAINER_CONFIG' }));
  }

  it('lets annotations and settings of the kernel have any name', () => {
    assert.ok(parse({ annotations: { Hooks: 'x', ROOT: 'y' }, linux: { sysctl: { 'Net.x': '1' } } }));
  });

  it('with a mount whose last word is rw is a writable one', () => {
    const mount = (options: string[]) =>
      parse({ mounts: [{ destination: '/a', source: '/b', options }] }).bindSources[0];
    assert.equal(mount(['bind', 'ro', 'rw'])?.isReadOnly, false);
    assert.equal(mount(['bind', 'rw', 'ro'])?.isReadOnly, true);
    assert.equal(mount(['nosuid']), undefined);
  });
});

describe('any bytes', () => {
  it('give a configuration, or an error of ours', () => {
    const seed = Buffer.from(
      JSON.stringify({ ...GOOD, hooks: { prestart: [{ path: '/x' }] }, annotations: { a: 'b' } }),
    );
    const keys = fc.constantFrom(
      'root',
      'path',
      'mounts',
      'process',
      'args',
      'user',
      'uid',
      'linux',
      'namespaces',
      'hooks',
      'x',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 0 }),
        fc.array(tie('value')),
        fc.dictionary(keys, tie('value')),
      ),
    }));
    const judge = (bytes: Uint8Array): void => {
      try {
        assertDeployable(changeConfig(parseRuntimeConfig(bytes, 'f'), { args: ['x'], rootPath: 'rootfs' }));
      } catch (error) {
        assert.ok(error instanceof RuntimeError, String(error));
      }
    };
    fc.assert(fc.property(value, (each) => judge(Buffer.from(JSON.stringify(each)))));
    fc.assert(
      fc.property(fc.nat(seed.length - 1), fc.nat(255), (at, byte) => judge(Buffer.from(seed).fill(byte, at, at + 1))),
      { numRuns: 500 },
    );
  });
});

describe('a configuration that is deployed', () => {
  it('has a root that nothing writes to, and no terminal', () => {
    assertDeployable(parse(GOOD));
    assertDeployable(parse({ ...GOOD, root: { path: './rootfs/', readonly: true } }));
    assertDeployable(parse({ ...GOOD, root: { path: '/srv/tree', readonly: true } }), '/srv/tree');
  });

  for (const [flaw, value, code] of [
    ['a writable root', { root: { path: 'rootfs' } }, 'WRITABLE_ROOT'],
    ['another root', { root: { path: '/', readonly: true } }, 'WRITABLE_ROOT'],
    ['a root outside of the bundle', { root: { path: 'rootfs/../..', readonly: true } }, 'WRITABLE_ROOT'],
    ['no root', { root: undefined }, 'WRITABLE_ROOT'],
    ['a terminal', { process: { ...GOOD.process, terminal: true } }, 'BAD_CONTAINER_CONFIG'],
    ['no process', { process: undefined }, 'BAD_CONTAINER_CONFIG'],
    ['no command', { process: { ...GOOD.process, args: [] } }, 'BAD_CONTAINER_CONFIG'],
  ] as const) {
    it(`and with ${flaw} is refused`, () =>
      assert.throws(() => assertDeployable(parse({ ...GOOD, ...value })), { code }));
  }

  it('with an external root is refused when the configuration has the own one', () => {
    assert.throws(() => assertDeployable(parse(GOOD), '/srv/tree'), { code: 'WRITABLE_ROOT' });
  });
});

describe('a configuration for another use', () => {
  it('differs in what was asked for, and in nothing else', () => {
    const changed = changeConfig(parse(GOOD), { args: ['ls', '-l'], terminal: true, rootPath: '/x/rootfs' });
    const expected = { ...GOOD, process: { ...GOOD.process, args: ['ls', '-l'], terminal: true } };
    assert.deepEqual(JSON.parse(Buffer.from(formatConfig(changed)).toString()), {
      ...expected,
      root: { path: '/x/rootfs', readonly: true },
    });
    assert.deepEqual([changed.process?.args, changed.root.path], [['ls', '-l'], '/x/rootfs']);
    assert.deepEqual(formatConfig(changeConfig(parse(GOOD), {})), formatConfig(parse(GOOD)));
  });

  it('apart from the first one has no place in its cgroup', () => {
    const placed = parse({ ...GOOD, linux: { cgroupsPath: 'system.slice:runc:kvd', rootfsPropagation: 'slave' } });
    assert.deepEqual(changeConfig(placed, { isApart: true }).json['linux'], { rootfsPropagation: 'slave' });
    assert.deepEqual(changeConfig(parse(GOOD), { isApart: true }).json, parse(GOOD).json);
  });
});
