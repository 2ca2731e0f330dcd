/**
 * `ostree-container repo` beside `ostree`: a Debian root (D1), the same after a security update (D1b), a hundred
 * thousand small files (D2). Same data, same disk, same durability: both sides flush as their repositories' `core.fsync`
 * says, which is the default of both.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Nginx, startNginx } from '../test/support/nginx.ts';
import { openDisk } from './disk.ts';
import { type Contender, printDuel, printMemory, race } from './measure.ts';

/** As it is installed: the release bundle. */
const MAIN = fileURLToPath(new URL('../../build/bundle/ostree-container.js', import.meta.url));
const MAKE_DATA = fileURLToPath(new URL('../../bench/make-data.sh', import.meta.url));
const TIME = '--timestamp=2024-01-01 00:00:00 +0000';

/** Rounds for tasks of some seconds, and for short ones. */
const FEW = 3;
const MANY = 7;
const MEMORY_MIB = 200;
/** For a quick look: `BENCH_ROUNDS=1`. */
const MOST = Number(process.env['BENCH_ROUNDS'] ?? MANY);

export async function benchOstree(): Promise<void> {
  const disk = openDisk(32);
  const data = process.env['BENCH_DATA'] ?? join(disk.path, 'data');
  mkdirSync(data, { recursive: true });
  execFileSync('bash', [MAKE_DATA, 'd1', 'd2'], { env: { ...process.env, DATA: data }, stdio: ['ignore', 2, 2] });
  const nginx = await startNginx({ root: disk.path });
  try {
    const bench = new Bench(disk.path, data, nginx);
    const words = new Set((process.env['BENCH_ROWS'] ?? '').split(',').filter(Boolean));
    for (const [name, rows] of Object.entries(SECTIONS)) if (words.size === 0 || words.has(name)) await rows(bench);
  } finally {
    await nginx.stop();
    disk.close();
  }
}

const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  commit: commitRows,
  checkout: checkoutRows,
  local: localRows,
  fsck: fsckRows,
  prune: pruneRows,
  http: httpRows,
  delta: deltaRows,
  many: manyRows,
};

class Bench {
  readonly disk: string;
  readonly data: string;
  readonly nginx: Nginx;

  constructor(disk: string, data: string, nginx: Nginx) {
    this.disk = disk;
    this.data = data;
    this.nginx = nginx;
  }

  path(name: string): string {
    return join(this.disk, name);
  }

  remove(...names: readonly string[]): void {
    for (const name of names) rmSync(this.path(name), { recursive: true, force: true });
  }

  ostree(...words: readonly string[]): string {
    return execFileSync('ostree', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  }

  fresh(name: string, mode: string): void {
    this.remove(name);
    this.ostree('init', `--repo=${this.path(name)}`, `--mode=${mode}`);
  }

  /** A repository with D1 and D1b on it, made once. */
  filled(mode: string): string {
    const path = this.path(`filled.${mode}`);
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
    this.fresh(`filled.${mode}`, mode);
    for (const name of ['d1', 'd1b']) {
      this.ostree('commit', `--repo=${path}`, `--branch=${name}`, TIME, `--tree=dir=${join(this.data, name)}`);
    }
    this.ostree('summary', `--repo=${path}`, '--update');
    return path;
  }

  /** Ours and theirs with the same words behind their names. */
  async duel(what: string, row: Row): Promise<void> {
    const contender = (name: string, command: readonly string[]): Contender => {
      const before = row.before;
      return before === undefined ? { name, command } : { name, command, before: () => before(name) };
    };
    const [ours, theirs] = await race(
      [
        contender('ours', [process.execPath, MAIN, 'repo', ...row.words('ours')]),
        contender('theirs', ['ostree', ...(row.theirs ?? row.words)('theirs')]),
      ],
      Math.min(row.rounds ?? FEW, MOST),
    );
    if (ours === undefined || theirs === undefined) throw new Error('unreachable: two contenders');
    printDuel(what, ours, theirs, row.target);
    if (row.memory !== false) printMemory('', ours, MEMORY_MIB);
  }
}

interface Row {
  readonly words: (side: string) => readonly string[];
  readonly theirs?: (side: string) => readonly string[];
  readonly before?: (side: string) => void;
  readonly target?: number;
  readonly rounds?: number;
  readonly memory?: false;
}

async function commitRows(bench: Bench): Promise<void> {
  const d1 = join(bench.data, 'd1');
  const marks: readonly (readonly [string, number, number])[] = [
    ['bare', 0.6, 0.4],
    ['bare-user', 0.6, 0.4],
    ['archive', 0.55, 0.15],
  ];
  for (const [mode, first, second] of marks) {
    const words = (side: string): string[] => ['commit', `--repo=${bench.path(side)}`, '--branch=d1', TIME];
    const before = (side: string): void => bench.fresh(side, mode);
    await bench.duel(`commit D1 from a directory, ${mode}`, {
      words: (side) => [...words(side), `--tree=dir=${d1}`],
      before,
      target: first,
    });
    await bench.duel(`commit D1 from a tar, ${mode}`, {
      words: (side) => [...words(side), `--tree=tar=${d1}.tar`],
      before,
      target: first,
    });
    await bench.duel(`commit D1b over D1, ${mode}`, {
      words: (side) => [
        'commit',
        `--repo=${bench.path(side)}`,
        '--branch=d1b',
        TIME,
        `--tree=dir=${join(bench.data, 'd1b')}`,
      ],
      before: (side) => forget(bench, side, mode),
      target: second,
    });
    bench.remove('ours', 'theirs');
  }
}

/** Back to D1 alone. */
function forget(bench: Bench, side: string, mode: string): void {
  const repo = `--repo=${bench.path(side)}`;
  if (!bench.ostree('refs', repo).includes('d1')) bench.fresh(side, mode);
  bench.ostree('refs', repo, '--delete', 'd1b');
  bench.ostree('prune', repo, '--refs-only');
}

async function checkoutRows(bench: Bench): Promise<void> {
  for (const [mode, options] of [
    ['bare', ['-H']],
    ['bare-user', ['-U', '-H']],
  ] as const) {
    const repo = bench.filled(mode);
    await bench.duel(`checkout ${options.join(' ')} of D1, ${mode}`, {
      words: (side) => ['checkout', `--repo=${repo}`, ...options, '--fsync=true', 'd1', bench.path(`co.${side}`)],
      before: (side) => bench.remove(`co.${side}`),
      target: 1.2,
      rounds: MANY,
    });
    bench.remove('co.ours', 'co.theirs');
  }
}

async function localRows(bench: Bench): Promise<void> {
  const repo = bench.filled('bare');
  const before = (side: string): void => bench.fresh(side, 'bare');
  for (const [what, options, target] of [
    ['trusted', [], 1.1],
    ['verifying', ['--untrusted'], 0.7],
  ] as const) {
    await bench.duel(`pull-local D1 bare to bare, ${what}`, {
      words: (side) => ['pull-local', `--repo=${bench.path(side)}`, ...options, repo, 'd1'],
      before,
      target,
      rounds: MANY,
    });
  }
}

async function fsckRows(bench: Bench): Promise<void> {
  for (const mode of ['bare', 'archive']) {
    const words = (): string[] => ['fsck', `--repo=${bench.filled(mode)}`, '--quiet'];
    await bench.duel(`fsck of D1 and D1b, ${mode}`, { words, target: 0.5, rounds: FEW });
  }
}

async function pruneRows(bench: Bench): Promise<void> {
  const repo = bench.filled('bare');
  const words = (): string[] => ['prune', `--repo=${repo}`, '--refs-only'];
  await bench.duel('prune, nothing to do', { words, target: 1.5, rounds: MANY });
  await bench.duel('prune of D1b', {
    words: (side) => ['prune', `--repo=${bench.path(side)}`, '--refs-only'],
    before: (side) => {
      bench.fresh(side, 'bare');
      bench.ostree('pull-local', `--repo=${bench.path(side)}`, repo, 'd1', 'd1b');
      bench.ostree('refs', `--repo=${bench.path(side)}`, '--delete', 'd1b');
    },
    target: 1.5,
    rounds: FEW,
  });
}

/** A destination that knows the server. */
function destination(bench: Bench, side: string, mode: string): void {
  bench.fresh(side, mode);
  const url = `${bench.nginx.url}/filled.archive`;
  bench.ostree('remote', 'add', `--repo=${bench.path(side)}`, '--no-gpg-verify', 'o', url);
}

async function httpRows(bench: Bench): Promise<void> {
  const source = bench.filled('archive');
  rmSync(join(source, 'deltas'), { recursive: true, force: true });
  bench.ostree('summary', `--repo=${source}`, '--update');
  const pull = (side: string, ...words: readonly string[]): string[] => [
    'pull',
    `--repo=${bench.path(side)}`,
    ...words,
  ];
  await bench.duel('pull D1 over HTTP to bare', {
    words: (side) => pull(side, 'o', 'd1'),
    before: (side) => destination(bench, side, 'bare'),
    target: 0.6,
  });
  await bench.duel('pull --mirror D1 over HTTP, archive to archive', {
    words: (side) => pull(side, '--mirror', 'o', 'd1'),
    before: (side) => destination(bench, side, 'archive'),
    target: 0.3,
  });
  await bench.duel('update to D1b over HTTP, bare', {
    words: (side) => pull(side, 'o', 'd1b'),
    before: (side) => {
      destination(bench, side, 'bare');
      bench.ostree('pull-local', `--repo=${bench.path(side)}`, bench.filled('bare'), 'd1');
    },
    target: 1.0,
    rounds: FEW,
  });
}

async function deltaRows(bench: Bench): Promise<void> {
  const source = bench.filled('archive');
  const [from, to] = ['d1', 'd1b'].map((ref) => bench.ostree('rev-parse', `--repo=${source}`, ref));
  const repo = `--repo=${source}`;
  const sizes = new Map<string, number>();
  await bench.duel('static delta D1 -> D1b, made', {
    words: () => ['delta', 'generate', repo, `--from=${from}`, `--to=${to}`],
    theirs: () => ['static-delta', 'generate', repo, `--from=${from}`, `--to=${to}`],
    before: () => {
      note(sizes, source);
      rmSync(join(source, 'deltas'), { recursive: true, force: true });
    },
    target: 1.0,
    rounds: 1,
    memory: false,
  });
  note(sizes, source);
  const [ours = Number.NaN, theirs = Number.NaN] = [...sizes.values()];
  console.log(`${'its size'.padEnd(58)} ${ours} / ${theirs} bytes  ratio ${(ours / theirs).toFixed(2)}`);
  bench.ostree('summary', repo, '--update');
  await bench.duel('pull of D1b by that static delta, bare', {
    words: (side) => ['pull', `--repo=${bench.path(side)}`, '--require-static-deltas', 'o', 'd1b'],
    before: (side) => {
      destination(bench, side, 'bare');
      bench.ostree('pull', `--repo=${bench.path(side)}`, '--disable-static-deltas', 'o', 'd1');
    },
    target: 1.0,
  });
}

/** Bytes of the deltas, ours and theirs in turn. */
function note(sizes: Map<string, number>, source: string): void {
  const deltas = join(source, 'deltas');
  if (statSync(deltas, { throwIfNoEntry: false }) === undefined) return;
  const bytes = Number(execFileSync('du', ['-sb', deltas], { encoding: 'utf8' }).split('\t')[0]);
  sizes.set(sizes.size % 2 === 0 ? 'ours' : 'theirs', bytes);
}

/** What grows with the number of files: five times as many, and memory stays. */
async function manyRows(bench: Bench): Promise<void> {
  const before = (side: string): void => bench.fresh(side, 'bare');
  await bench.duel('commit D2, bare', {
    words: (side) => [
      'commit',
      `--repo=${bench.path(side)}`,
      '--branch=d2',
      TIME,
      `--tree=dir=${join(bench.data, 'd2')}`,
    ],
    before,
    target: 0.6,
    rounds: 1,
  });
  const repo = bench.path('theirs');
  await bench.duel('checkout -H of D2, bare', {
    words: (side) => ['checkout', `--repo=${repo}`, '-H', '--fsync=true', 'd2', bench.path(`co.${side}`)],
    before: (side) => bench.remove(`co.${side}`),
    target: 1.2,
    rounds: 1,
  });
  bench.remove('co.ours', 'co.theirs');
  await bench.duel('fsck of D2, bare', { words: () => ['fsck', `--repo=${repo}`, '--quiet'], target: 0.5, rounds: 1 });
}
