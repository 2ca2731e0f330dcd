/** `os-containers lint` as authors of images use it: on a directory, and on an image that was pulled. */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeImage } from '../support/oci-image.ts';
import { CHECKOUT } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { containerPlace } from './os-containers-place.ts';

const ETCD = join(CHECKOUT, 'test/fixtures/system-containers-templates/etcd');
const NAME = 'registry.example.com/example/etcd:latest';
const CONFIG = JSON.stringify({ process: { args: ['/usr/bin/etcd'] }, root: { path: 'rootfs' } });

interface LintDocument {
  readonly schema: string;
  readonly subject: string;
  readonly errors: number;
  readonly warnings: number;
  readonly hints: number;
  readonly findings: readonly {
    readonly severity: string;
    readonly rule: string;
    readonly file: string | null;
    readonly line: number | null;
  }[];
}

describe('os-containers lint', () => {
  it('prints a line for each finding as compilers do, and succeeds without errors', async (t) => {
    const { run } = containerPlace(scratch(t));
    const { status, stdout, stderr } = await run(['lint', ETCD]);
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /^\/exports\/config\.json\.template:\d+: warning: the image has no \/usr\/bin\/etcd-env\.sh \[command-missing\]$/m,
    );
    assert.match(stdout, /^\/exports\/config\.json\.template: hint: .* \[no-seccomp\]$/m);
    assert.match(stderr, /: 0 errors, 1 warning, 2 hints\n$/);
  });

  it('fails on warnings when it has to be strict', async (t) => {
    const { run } = containerPlace(scratch(t));
    assert.equal((await run(['lint', '--strict', ETCD])).status, 1);
  });

  it('fails on an error, in a document too', async (t) => {
    const folder = scratch(t);
    const { run } = containerPlace(folder);
    const directory = join(folder, 'rootfs');
    cpSync(ETCD, directory, { recursive: true });
    writeFileSync(
      join(directory, 'exports/service.template'),
      '[Service]\nExecStart=$EXEC_START\nEnvironment=PRICE=$5\n',
    );
    const { status, stdout } = await run(['lint', '--json', directory]);
    assert.equal(status, 1);
    const document = JSON.parse(stdout) as LintDocument;
    assert.deepEqual([document.schema, document.subject, document.errors], ['os-containers.lint/1', directory, 1]);
    const error = document.findings.find(({ severity }) => severity === 'error');
    assert.deepEqual([error?.rule, error?.file], ['template-syntax', '/exports/service.template']);
    assert.equal(document.findings.length, document.errors + document.warnings + document.hints);
  });

  it('looks at a stored image with all its layers and its labels', async (t) => {
    const folder = scratch(t);
    const place = containerPlace(folder);
    const layers = [
      [
        { path: 'usr/bin/etcd', content: '', mode: 0o755 },
        { path: 'exports/tmpfiles.template', content: 'R /srv/x\n' },
      ],
      [
        { path: 'exports/config.json', content: CONFIG },
        { path: 'usr/bin/.wh.etcd', content: '' },
      ],
    ];
    await makeImage(join(folder, 'image'), { layers, tag: '1.0' });
    const pulled = await place.run(['pull', '--name', NAME, `oci:${join(folder, 'image')}:1.0`]);
    assert.equal(pulled.status, 0, pulled.stderr);
    const { status, stdout, stderr } = await place.run(['lint', 'registry.example.com/example/etcd', '--json']);
    assert.equal(status, 1, stderr);
    const document = JSON.parse(stdout) as LintDocument;
    assert.equal(document.subject, NAME);
    const rules = document.findings.map(({ rule }) => rule);
    // From the lower layer, the upper one, a whiteout between them, and the configuration of the image.
    for (const rule of ['tmpfiles-foreign', 'root-writable', 'command-missing', 'label'])
      assert.ok(rules.includes(rule), rule);
  });

  it('says what to do when there is neither such a directory nor such an image', async (t) => {
    const { run } = containerPlace(scratch(t));
    const { status, stderr } = await run(['lint', 'registry.example.com/nothing']);
    assert.equal(status, 1);
    assert.match(stderr, /nothing|no repository/);
  });

  it('needs to know on what', async (t) => {
    assert.equal((await containerPlace(scratch(t)).run(['lint'])).status, 2);
  });
});
