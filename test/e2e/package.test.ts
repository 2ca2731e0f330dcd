/** The npm package as a user gets it: packed, installed into a project of theirs, imported and run. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { CHECKOUT, must, run } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const USE = `
import { compareVersions, openManifest, parsePattern, parsePublicKey, parseSecretKey, parseVersion, sealManifest, select,
  generateSecretKey, formatSecretKey, formatPublicKey } from 'tako/manifest';
const secret = parseSecretKey(formatSecretKey(generateSecretKey()));
const key = parsePublicKey(formatPublicKey(secret.publicKey));
`;

describe('the npm package', { skip: needs('npm') }, () => {
  let project = '';
  let files: readonly string[] = [];

  before(async () => {
    project = makeScratch();
    // What was built for these tests is packed: building again would change files that other tests run.
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
    const packed = JSON.parse((await must('npm', pack, { cwd: CHECKOUT })).stdout);
    const [{ filename, files: list }] = Array.isArray(packed) ? packed : Object.values<(typeof packed)[string]>(packed);
    files = list.map(({ path }: { readonly path: string }) => path);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
    const install = ['install', `./${filename}`, '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    await must('npm', install, { cwd: project, timeoutMs: 120_000 });
  });
  after(() => removeTree(project));

  it('holds the programs, their types, the units and the documents', () => {
    const programs = ['tako', 'ostree-container'].map((name) => `dist/src/cli/${name}/main.js`);
    for (const path of ['package.json', 'README.md', 'LICENSE', 'NOTICE', 'docs/guide.md', ...programs])
      assert.ok(files.includes(path), path);
    assert.ok(files.some((path) => path.startsWith('systemd/')));
  });
  it('holds no tests, no fixtures and no traces of the build', () => {
    const unwanted = files.filter(
      (path) =>
        /\.(test|fixture)\.|\.tsbuildinfo$|\.map$|(^|\/)node_modules\//.test(path) ||
        /^(test|bench|tools|src|dist\/(test|bench))\//.test(path),
    );
    assert.deepEqual(unwanted, []);
  });
  it('has every file that its package.json names', () => {
    const about = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
    const named = [
      ...Object.values<string>(about.bin),
      about.exports['./manifest'].types,
      about.exports['./manifest'].default,
    ];
    for (const path of named) assert.ok(files.includes(path.replace('./', '')), path);
  });
  it('runs by npx', async () => {
    for (const name of ['tako', 'ostree-container']) {
      const { stdout } = await must('npx', ['--no-install', name, '--version'], { cwd: project });
      assert.match(stdout, /^[0-9]+\.[0-9]+\.[0-9]+\n$/);
    }
  });
  it('seals, opens and selects in a JavaScript file', async () => {
    writeFileSync(
      join(project, 'use.js'),
      `${USE}
       const entry = (text) => ({ version: parseVersion(text), size: 1n, sha256: 'a'.repeat(64) });
       const bytes = sealManifest([entry('1.0.0'), entry('1.2.0'), entry('2.0.0')], secret);
       const { entries } = openManifest(bytes, [key]);
       const chosen = select(parsePattern('1.*'), entries, (each) => each.version);
       console.log(chosen.map((each) => each.version.text).join(' '));
       bytes[20] ^= 1;
       try { openManifest(bytes, [key]); } catch (error) { console.log(error.code); }`,
    );
    const { stdout } = await must(process.execPath, ['use.js'], { cwd: project });
    assert.equal(stdout, '1.2.0 1.0.0\nINVALID_SIGNATURE\n');
  });
  it('offers nothing but what is written down', async () => {
    const inner = "import 'tako/dist/src/tako/index.js'";
    const { status, stderr } = await run(process.execPath, ['--input-type=module', '-e', inner], { cwd: project });
    assert.equal(status, 1);
    assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  async function compile(name: string, source: string) {
    const config = {
      compilerOptions: { module: 'nodenext', strict: true, noEmit: true, types: ['node'] },
      files: [name],
    };
    writeFileSync(join(project, name), source);
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        ...config,
        compilerOptions: { ...config.compilerOptions, typeRoots: [join(CHECKOUT, 'node_modules', '@types')] },
      }),
    );
    return run(join(CHECKOUT, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.json'], { cwd: project });
  }
  it('has types that a strict TypeScript project takes', async () => {
    const good = `${USE}
      import type { Manifest, ManifestEntry } from 'tako/manifest';
      const entry: ManifestEntry = { version: parseVersion('1.0.0'), size: 1n, sha256: 'a'.repeat(64) };
      const manifest: Manifest = openManifest(sealManifest([entry], secret), [key]);
      const [newest] = select(parsePattern('1.*'), manifest.entries, (each) => each.version);
      export const order: number = newest === undefined ? 0 : compareVersions(newest.version, entry.version);`;
    const { status, stdout } = await compile('good.ts', good);
    assert.equal(status, 0, stdout);
  });
  it('has types that refuse a wrong use', async () => {
    const { status, stdout } = await compile('bad.ts', `${USE} openManifest('text', [key]); void secret;`);
    assert.notEqual(status, 0);
    assert.match(stdout, /bad\.ts/);
  });
});
