/** The npm package as a user gets it: packed, installed into a project of theirs, imported and run. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveDirectory } from '../demo/static-server.ts';
import { blocksOf } from '../support/guide.ts';
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
    const programs = ['tako', 'ostree-container', 'os-containers'].map((name) => `dist/src/cli/${name}/main.js`);
    const webserver = 'dist/src/ostree-container/webserver-executable/repo-webserver.bundle';
    for (const path of ['package.json', 'README.md', 'LICENSE', 'NOTICE', 'docs/guide.md', webserver, ...programs])
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
      ...['./manifest', './ostree'].flatMap((name) => [about.exports[name].types, about.exports[name].default]),
    ];
    for (const path of named) assert.ok(files.includes(path.replace('./', '')), path);
  });
  it('runs by npx', async () => {
    for (const name of ['tako', 'ostree-container', 'os-containers', 'os-container']) {
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

  async function compile(name: string, source: string, options = {}) {
    const config = {
      compilerOptions: { module: 'nodenext', strict: true, noEmit: true, types: ['node'], ...options },
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
    const wrong = "import { checkout } from 'tako/ostree'; await checkout('/srv/repo', 7);";
    for (const source of [`${USE} openManifest('text', [key]); void secret;`, wrong]) {
      const { status, stdout } = await compile('bad.ts', source);
      assert.notEqual(status, 0);
      assert.match(stdout, /bad\.ts.*TS(2345|2554)/);
    }
  });

  describe('used for repositories, as docs/ostree-library.md shows', { skip: needs('xz') }, () => {
    const page = readFileSync(join(CHECKOUT, 'docs', 'ostree-library.md'), 'utf8');
    const examples = blocksOf(page).flatMap(({ language, text }) => {
      const name = language === 'ts' ? /^\/\/ (\w+\.ts)\n/.exec(text)?.[1] : undefined;
      return name === undefined ? [] : [{ name, text }];
    });
    const node = (script: string, ...args: string[]) => run(process.execPath, [script, ...args], { cwd: project });

    it('has two programs, which compile under strict rules', async () => {
      assert.deepEqual(
        examples.map(({ name }) => name),
        ['publish.ts', 'update.ts'],
      );
      for (const { name, text } of examples) {
        const { status, stdout } = await compile(name, text, { noEmit: false, noUncheckedIndexedAccess: true });
        assert.equal(status, 0, stdout);
        assert.ok(existsSync(join(project, name.replace('.ts', '.js'))));
      }
    });
    it('publishes, updates by a delta, tells what has changed, and refuses another key', async () => {
      const { secret, key } = keyPair();
      writeFileSync(join(project, 'secret.key'), `${secret}\n`, { mode: 0o600 });
      const tree = join(project, 'tree');
      mkdirSync(tree);
      const publish = async (version: string): Promise<string> => {
        writeFileSync(join(tree, 'version'), `${version}\n`);
        const published = await node('publish.js', 'repo', 'tree', 'secret.key', version);
        assert.deepEqual([published.status, published.stderr], [0, '']);
        assert.match(published.stdout, /^[0-9a-f]{64}\n$/);
        return published.stdout;
      };
      await publish('1');
      const server = await serveDirectory(join(project, 'repo'));
      try {
        const first = await node('update.js', 'host', server.url, key, 'checkout-1');
        assert.deepEqual([first.stderr, first.stdout], ['', `ed25519 good ${key}\n0 deltas\n`]);
        await publish('2');
        const second = await node('update.js', 'host', server.url, key, 'checkout-2');
        assert.deepEqual([second.stderr, second.stdout], ['', `ed25519 good ${key}\nmodified version\n1 deltas\n`]);
        assert.equal(readFileSync(join(project, 'checkout-2', 'version'), 'utf8'), '2\n');
        const other = await node('update.js', 'host', server.url, keyPair().key, 'checkout-3');
        assert.deepEqual([other.status, other.stdout], [1, 'SIGNATURE_INVALID\n']);
      } finally {
        await server.close();
      }
    });
  });
});

/** As OSTree keeps them: base64 of seed and public key, and of the public key. */
function keyPair(): { readonly secret: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const half = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { secret: Buffer.concat([seed, half]).toString('base64'), key: half.toString('base64') };
}
