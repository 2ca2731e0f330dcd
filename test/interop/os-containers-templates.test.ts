/** Templates in the forms of the published system containers become JSON that is deployed and units that systemd takes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { assertDeployable, formatConfig } from '../../src/runtime/index.ts';
import { readExports } from '../../src/system-containers/contract/index.ts';
import { directoryTree } from '../../src/system-containers/deployment/index.ts';
import { lintImage } from '../../src/system-containers/lint/index.ts';
import {
  missingIn,
  parseTemplate,
  substitute,
  substituteConfig,
  substituteText,
  type Template,
} from '../../src/system-containers/template/index.ts';
import { askPython } from '../../src/system-containers/template/python.fixture.ts';
import { defaultUnit, valuesFor } from '../../src/system-containers/variables/index.ts';
import { parseTmpfiles, parseUnit } from '../../src/systemd/index.ts';
import { needs, searchPath } from '../support/needs.ts';
import { scratch } from '../support/scratch.ts';

const SCOPES = {
  system: { scope: 'system', uid: 0, gid: 0, directories: { run: '/run', state: '/var/lib', conf: '/etc' } },
  user: {
    scope: 'user',
    uid: 1000,
    gid: 1000,
    directories: { run: '/run/user/1000', state: '/home/u/.data', conf: '/home/u/.config' },
  },
} as const;
const DETACHED = ['docker', 'net-snmp'];
const MOUNT = ',{"destination": "/x", "type": "bind", "source": "/srv/x", "options": ["rbind"]}';
/** Any program that exists: systemd looks. */
const RUNTIME = '/bin/true';

function open(image: string, scope: keyof typeof SCOPES = 'system', set: Record<string, string> = {}) {
  const folder = join(templates(), image);
  const exports = readExports(directoryTree(folder, image));
  const values = valuesFor({
    places: SCOPES[scope],
    name: image,
    deploymentPath: `/var/lib/containers/atomic/${image}.0`,
    image: `docker.io/example/${image}:latest`,
    imageId: 'ab'.repeat(32),
    runtimePath: RUNTIME,
    runtimeFeatures: { systemdCgroup: true, pidFile: true },
    unitTemplate: exports.unit,
    defaults: exports.manifest.defaultValues,
    setValues: new Map(Object.entries(set)),
  });
  const parse = (bytes: Uint8Array | undefined, file: string): Template =>
    parseTemplate(bytes ?? assert.fail(file), file);
  const templatesOf = {
    config: parse(exports.config?.bytes, 'config.json.template'),
    unit: parse(exports.unit, 'service.template'),
    tmpfiles: parse(exports.tmpfiles, 'tmpfiles.template'),
  };
  const hostFiles = exports.manifest.installedFilesTemplate.map((path) =>
    parse(readFileSync(join(folder, 'exports/hostfs', path)), path),
  );
  return { exports, values, templates: templatesOf, all: [...Object.values(templatesOf), ...hostFiles], folder };
}

function templates(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'test/fixtures/system-containers-templates');
}

/** What systemd has to say about a unit. */
function verify(t: TestContext, name: string, unit: Uint8Array): string {
  const file = join(scratch(t), name);
  writeFileSync(file, unit);
  const words = ['verify', '--man=no', '--recursive-errors=no', file];
  const { status, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8', env: { PATH: searchPath() } });
  const own = stderr.split('\n').filter((line) => line.includes(name));
  return status === 0 ? own.join('\n') : `status ${status}: ${stderr}`;
}

const images = readdirSync(templates(), { withFileTypes: true })
  .filter((each) => each.isDirectory())
  .map(({ name }) => name);

describe('published templates', () => {
  it('are those of nine images', () => {
    assert.deepEqual(images.sort(), [
      'docker',
      'etcd',
      'flannel',
      'kubernetes-apiserver',
      'kubernetes-controller-manager',
      'kubernetes-kubelet',
      'kubernetes-proxy',
      'kubernetes-scheduler',
      'net-snmp',
    ]);
  });

  it('become what Python makes of them', { skip: needs('python3') }, () => {
    const cases = images.flatMap((image) => open(image).all.map((template) => ({ template, ...open(image) })));
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
    const asked = cases.map(({ template, values, folder }) => ({
      template: readFileSync(pathOf(folder, template), 'latin1'),
      values: Object.fromEntries(values),
    }));
    const answers = askPython(asked);
    assert.ok(answers.length > 30);
    for (const [i, { template, values }] of cases.entries()) {
      const given = new Map([...values].map(([name]) => [name, asked[i]?.values[name] ?? '']));
      assert.deepEqual({ text: text(substitute(template, given)) }, answers[i]);
    }
  });
});

const pathOf = (folder: string, { file }: Template): string =>
  join(folder, 'exports', file.startsWith('/') ? `hostfs${file}` : file);

for (const image of images) {
  describe(`the templates of ${image}`, () => {
    for (const scope of ['system', 'user'] as const) {
      it(`have values for all their variables in the ${scope} scope`, () => {
        const { all, values, exports } = open(image, scope);
        missingIn(
          all.map((template) => ({ file: template.file, template })),
          values,
        );
        for (const path of exports.manifest.renameFiles.values())
          assert.match(substituteText(path, 'renameFiles', values), /^\//);
      });
    }

    it('become a configuration that may be deployed', () => {
      const { templates: of, values } = open(image);
      const config = substituteConfig(of.config, values);
      assertDeployable(config);
      assert.ok(config.bindSources.every(({ path }) => path.startsWith('/') && !path.includes('$')));
      JSON.parse(Buffer.from(formatConfig(config)).toString());
      JSON.parse(Buffer.from(substitute(of.config, values)).toString());
    });

    it('take a mount that is raw JSON, and tell which value spoils it', () => {
      const plain = open(image);
      const more = open(image, 'system', { ADDTL_MOUNTS: MOUNT });
      const count = (each: typeof plain): number => substituteConfig(each.templates.config, each.values).mounts.length;
      assert.equal(count(more), count(plain) + 1);
      const spoilt = open(image, 'system', { ADDTL_MOUNTS: '{]' });
      assert.throws(() => substituteConfig(spoilt.templates.config, spoilt.values), {
        code: 'BAD_CONTAINER_CONFIG',
        message: /ADDTL_MOUNTS/,
      });
    });

    it('become a unit that starts and stops the container', () => {
      const { templates: of, values } = open(image);
      const unit = parseUnit(substitute(of.unit, values));
      const isDetached = DETACHED.includes(image);
      const options = isDetached ? ` -d --pid-file /run/container-${image}.pid` : '';
      assert.equal(unit.value('Service', 'ExecStart'), `${RUNTIME} --systemd-cgroup run${options} '${image}'`);
      assert.equal(unit.value('Service', 'ExecStop'), isDetached ? undefined : `${RUNTIME} kill '${image}'`);
      assert.equal(unit.value('Service', 'ExecStopPost'), isDetached ? `${RUNTIME} delete '${image}'` : undefined);
      assert.equal(unit.value('Service', 'WorkingDirectory'), `/var/lib/containers/atomic/${image}.0`);
      assert.ok(
        unit.entries.every(
          ({ key, value }) => !value.includes('$$') && (!value.includes('$MAINPID') || key === 'ExecReload'),
        ),
      );
    });

    it('become a fragment of directories that users own', () => {
      const { templates: of, values } = open(image, 'user');
      const lines = parseTmpfiles(substitute(of.tmpfiles, values));
      assert.ok(
        lines.length > 0 &&
          lines.every(({ type, user, path }) => type === 'd' && user === '1000' && /^\/(home|run\/user)\//.test(path)),
      );
    });

    it('are taken by systemd', { skip: needs('systemd-analyze') }, (t) => {
      const { templates: of, values } = open(image);
      assert.equal(verify(t, `${image}.service`, substitute(of.unit, values)), '');
    });

    it('have no error that the linter knows', () => {
      const findings = lintImage(directoryTree(join(templates(), image), image));
      assert.deepEqual(
        findings.filter(({ severity }) => severity === 'error'),
        [],
      );
    });
  });
}

describe('the check of units', () => {
  it('notices what systemd would not take', { skip: needs('systemd-analyze') }, (t) => {
    assert.notEqual(verify(t, 'bad.service', Buffer.from('[Service]\nType=forkin\nExecStart=/bin/true\n')), '');
    assert.notEqual(verify(t, 'none.service', Buffer.from('[Service]\nExecStart=\n')), '');
  });
});

describe('our own unit, for images that bring none', () => {
  for (const scope of ['system', 'user'] as const) {
    for (const pidFile of [true, false]) {
      it(`is taken by systemd in the ${scope} scope, ${pidFile ? 'detached' : 'attached'}`, {
        skip: needs('systemd-analyze'),
      }, (t) => {
        const template = parseTemplate(defaultUnit({ scope, isDetached: pidFile }), 'unit');
        const values = valuesFor({
          places: SCOPES[scope],
          name: 'own',
          deploymentPath: '/var/lib/containers/atomic/own.0',
          image: 'own',
          imageId: '',
          runtimePath: RUNTIME,
          runtimeFeatures: { systemdCgroup: true, pidFile },
          unitTemplate: undefined,
          defaults: new Map(),
          setValues: new Map(),
        });
        assert.equal(verify(t, 'own.service', substitute(template, values)), '');
      });
    }
  }
});

describe('the example images', () => {
  for (const image of ['banner', 'kvd', 'ticker']) {
    it(`have no error that the linter knows: ${image}`, () => {
      const findings = lintImage(directoryTree(join(templates(), '../system-containers', image, '1.0'), image));
      assert.deepEqual(
        findings.filter(({ severity, rule }) => severity !== 'hint' && rule !== 'no-default'),
        [],
      );
    });
  }
});
