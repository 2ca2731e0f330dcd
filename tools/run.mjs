// The one door for `npm run demo`, `npm test`, `npm run bench`: build first, then do it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inCi = Boolean(process.env.CI);
const [what, ...words] = process.argv.slice(2);

const tasks = { demo, test, bench };
if (!Object.hasOwn(tasks, what)) {
  console.error(`usage: node tools/run.mjs ${Object.keys(tasks).join('|')}`);
  process.exit(2);
}
process.chdir(root);
process.exit(tasks[what]());

function demo() {
  build();
  return run(process.execPath, ['dist/test/demo/demo.js', ...words]);
}

function bench() {
  installPeers();
  build();
  must('bundle', run('npm', ['run', '--silent', 'bundle']));
  return run(process.execPath, ['dist/bench/main.js', ...words]);
}

/** `test` is everything; `test unit` stays inside this process's rights and needs no peer program; `test long` is the big ones. */
function test() {
  const suite = words[0] ?? 'all';
  if (suite !== 'unit') installPeers();
  build();
  if (suite === 'all') must('lint', run(bin('biome'), ['check', '--error-on-warnings', '.']));
  const files = testFiles('dist/src').concat(testFiles('dist/test'));
  const chosen = files.filter((file) => belongs(file, suite));
  if (chosen.length === 0) return fail(`no test files for ${suite}`);
  const scratch = mkdtempSync(join(tmpdir(), 'tako-run-'));
  const tap = join(scratch, 'tap');
  try {
    const reporters = [
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${tap}`,
    ];
    const status = run(process.execPath, ['--test', '--test-concurrency=2', ...reporters, ...chosen]);
    const skipped = Number(/^# skipped ([0-9]+)$/m.exec(readFileSync(tap, 'utf8'))?.[1] ?? 0);
    if (inCi && skipped > 0) return fail(`${skipped} tests were skipped, and in CI nothing may be`);
    return status;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function belongs(file, suite) {
  const long = file.endsWith('.long.test.js');
  if (suite === 'long') return long;
  if (long) return false;
  if (suite === 'unit') return file.startsWith('dist/src/') || file === 'dist/test/layers.test.js';
  return true;
}

function testFiles(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.js'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function build() {
  removeStale();
  must('build', run(bin('tsc'), ['-b']));
  must('build', run(process.execPath, ['tools/webserver-bundle.mjs']));
}

/** Compiled files whose source is gone would be tested, and shipped, for ever. */
function removeStale() {
  if (!existsSync('dist')) return;
  for (const entry of readdirSync('dist', { recursive: true, withFileTypes: true })) {
    const path = relative(join(root, 'dist'), join(root, entry.parentPath ?? entry.path, entry.name));
    const [, stem, ending] = /^(.*?)\.(d\.ts|js|d\.cts|cjs)$/.exec(path) ?? [];
    if (stem === undefined) continue;
    const source = `${stem}.${ending.endsWith('cts') || ending === 'cjs' ? 'cts' : 'ts'}`;
    if (!existsSync(source) && /^(src|test|bench)\//.test(path)) rmSync(join('dist', path));
  }
}

/** Programs that the tests compare with, by the Debian package that has them. */
function installPeers() {
  const packages = JSON.parse(readFileSync('test/peers.json', 'utf8'));
  const missing = Object.entries(packages).filter(([program]) => !onPath(program));
  if (missing.length === 0) return;
  const names = [...new Set(missing.map(([, name]) => name))];
  const may = process.getuid?.() === 0 && onPath('apt-get');
  if (!may) {
    console.error(
      `not installed, and only root may install it: ${names.join(' ')}; tests that need it are skipped by name`,
    );
    return;
  }
  console.error(`installing for the tests: ${names.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], env);
  const status = run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], env);
  if (status !== 0) console.error('apt-get could not install them all; tests that need one are skipped by name');
}

function onPath(program) {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  return path.split(':').some((directory) => directory !== '' && existsSync(join(directory, program)));
}

function bin(name) {
  return join('node_modules', '.bin', name);
}

function run(file, args, env = process.env) {
  const { status, error } = spawnSync(file, args, { stdio: ['ignore', 'inherit', 'inherit'], env });
  if (error) console.error(`${file}: ${error.message}`);
  return status ?? 1;
}

function must(name, status) {
  if (status !== 0) process.exit(fail(`${name} failed`));
}

function fail(text) {
  console.error(text);
  return 1;
}
