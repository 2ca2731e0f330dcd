// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what templates look like
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { memoryTree } from '../contract/tree.fixture.ts';
import { lintImage } from './lint-image.ts';

const FILES: Readonly<Record<string, string>> = {
  'exports/manifest.json': JSON.stringify({
    defaultValues: { PORT: 1, MORE: ', {"destination": "/x"}' },
    renameFiles: { '/etc/a': '$CONF_DIRECTORY/$NAME/a', '/usr': '/usr/local' },
    installedFilesTemplate: ['/etc/a', '/usr/bin/b'],
  }),
  'exports/config.json.template':
    '{"process": {"args": ["/usr/bin/x", "$PORT"], "terminal": false, "user": {"uid": 0}}, "root": {"path": "rootfs", ' +
    '"readonly": true}, "hooks": {"prestart": []}, "mounts": [{"destination": "/a", "type": "bind", "source": ' +
    '"$STATE_DIRECTORY/a", "options": ["bind"]} $MORE], "linux": {"namespaces": [{"type": "pid"}], "resources": {"devices": []}}}',
  'exports/service.template':
    '[Service]\nType=forking\nExecStart=$EXEC_START \\\n  x\nPIDFile=$PIDFILE\n[Install]\nAlias=b.service\n',
  'exports/tmpfiles.template': 'd $STATE_DIRECTORY/a 0700 - - -\nL "/etc/b c" - - - - ../x\n',
  'exports/hostfs/etc/a': '$PORT $$ ${NAME}\n',
  'exports/hostfs/usr/bin/b': '$UUID',
};
const INTERESTING = Buffer.from('$${}[]",:\\/=%\n \r\0\xff-0e.#;~\'', 'latin1');

describe('an image that wants to break the linter', () => {
  it('gets findings, whatever is in its files', () => {
    const random = seededRandom(7);
    const names = Object.keys(FILES);
    const rules = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const name = names[random(names.length)] ?? '';
      const spoilt = mutate(Buffer.from(FILES[name] ?? ''), random, INTERESTING);
      for (const { rule } of lintImage(memoryTree({ ...FILES, [name]: spoilt }))) rules.add(rule);
    }
    for (const rule of ['config', 'contract', 'template-syntax', 'no-default', 'host-files'])
      assert.ok(rules.has(rule), rule);
  });

  it('gets them soon when there is something to say about each of many things', () => {
    const names = Array.from({ length: 30_000 }, (_, i) => `/a${i}`);
    const each = (value: string) => Object.fromEntries(names.map((name) => [name, value]));
    const mounts = names.slice(0, 8000).map((destination) => ({
      destination,
      type: 'rbind',
      source: `/STATE_DIRECTORY${destination}`,
    }));
    const config = JSON.stringify({ root: { path: 'rootfs', readonly: true }, mounts });
    const start = Date.now();
    for (const [rule, files] of [
      ['rename-unused', { 'exports/manifest.json': JSON.stringify({ renameFiles: each('/b') }) }],
      ['default-name', { 'exports/manifest.json': JSON.stringify({ defaultValues: each('') }) }],
      ['template-unused', { 'exports/manifest.json': JSON.stringify({ installedFilesTemplate: names }) }],
      ['mount-source', { 'exports/config.json': config, 'exports/tmpfiles.template': 'd /run/x\n'.repeat(30_000) }],
    ] as const) {
      const findings = lintImage(memoryTree({ ...FILES, ...files }));
      assert.ok(findings.filter((found) => found.rule === rule).length >= 8000, rule);
      assert.ok(findings.some(({ line }) => line !== undefined));
    }
    assert.ok(Date.now() - start < 15_000, `${Date.now() - start} ms`);
  });

  it('gets them soon when its files are large', () => {
    const large = '$A'.repeat(900_000);
    const many = `[${'$A,'.repeat(9_999)}`;
    const deep = '['.repeat(1_000_000);
    const slashes = `ExecStart=${'/run/"'.repeat(250_000)}`;
    const start = Date.now();
    for (const files of [
      { 'exports/config.json.template': large },
      { 'exports/config.json.template': many },
      { 'exports/config.json.template': deep },
      { 'exports/config.json': deep },
      { 'exports/service.template': `[Service]\n${slashes}` },
      { 'exports/tmpfiles.template': `${'d /run/x\n'.repeat(100_000)}` },
      { 'exports/manifest.json': `{"defaultValues": ${'['.repeat(900_000)}` },
      { 'exports/manifest.json': `{"defaultValues": {"A": "${'\\\\'.repeat(500_000)}`.slice(0, 2 ** 20) },
    ]) {
      assert.ok(lintImage(memoryTree({ ...FILES, ...files })).length > 0);
    }
    assert.ok(Date.now() - start < 15_000, `${Date.now() - start} ms`);
  });
});
