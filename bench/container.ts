/**
 * A commit of a Debian root (D1) as an image and back, beside what a shell does with the established tools: a checkout
 * packed by `umoci` and copied by `skopeo`; the image copied, unpacked and committed. Same data, same disk, same
 * durability: what the others leave to the kernel is flushed by `sync -f` behind them.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MIB, RegistryBench, type Row, runSections, SKOPEO, TIME } from './registry-bench.ts';

/** As it is installed: the release bundle. */
const MAIN =
  process.env['BENCH_PROGRAM'] ?? fileURLToPath(new URL('../../build/bundle/ostree-container.js', import.meta.url));
const REF = 'os/main';

const TARGET = 0.7;
/** For a quick look: `BENCH_ROUNDS=1`. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);

export function benchContainer(): Promise<void> {
  return runSections(['d1'], SECTIONS, ({ disk, data, registry }) => {
    const bench = new Bench(disk, registry, ROUNDS);
    bench.commit({ d1: join(data, 'd1'), d1b: join(data, 'd1b') });
    return bench;
  });
}

const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  build: buildRows,
  push: pushRows,
  pull: pullRows,
  bytes: byteRows,
};

type Mode = 'archive' | 'bare';
type Format = 'seed' | 'v1';

class Bench extends RegistryBench {
  /** Both in a repository `archive` and, the first alone, in one named `bare`. */
  commit(trees: Readonly<Record<'d1' | 'd1b', string>>): void {
    for (const mode of ['archive', 'bare']) this.shell(`ostree init --repo=${mode} --mode=${mode}`);
    for (const [name, tree] of Object.entries(trees)) {
      const words = `--branch=${REF} '${TIME}' --tree=dir=tree`;
      this.shell(`cp -a ${tree} tree; mv tree/etc tree/usr/etc; ostree commit --repo=archive ${words} >${name}.commit`);
      if (name === 'd1') this.shell(`ostree commit --repo=bare ${words}`);
      this.remove('tree');
    }
  }

  commitOf(name: 'd1' | 'd1b'): string {
    return readFileSync(this.path(`${name}.commit`), 'latin1').trim();
  }

  ours(...words: readonly string[]): readonly string[] {
    return [process.execPath, MAIN, ...words];
  }

  build(format: Format, mode: Mode, to: readonly string[], ...more: readonly string[]): readonly string[] {
    const words = ['--ref', this.commitOf('d1'), '--format', format, '--no-webserver', ...more];
    return this.ours('build', '--repo', this.path(mode), ...words, ...to);
  }

  /** Made once. */
  layout(format: Format): string {
    if (!existsSync(this.path(format)))
      this.run(this.build(format, 'archive', ['--oci-dir', `${this.path(format)}:v1`]));
    return this.path(format);
  }

  run([file = '', ...words]: readonly string[]): void {
    execFileSync(file, words, { stdio: ['ignore', 'ignore', 'ignore'] });
  }

  /** Into the repository `client`. @returns bytes of layers */
  fetched(layout: string): number {
    const words = ['--no-verify', '--json', '--repo', this.path('client'), '--ref', REF, `oci:${layout}`];
    const [file = '', ...rest] = this.ours('pull', ...words);
    const out = execFileSync(file, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return (JSON.parse(out) as { readonly bytes: number }).bytes;
  }

  /** Bytes of all layers. */
  sizeOf(layout: string): number {
    const out = execFileSync('skopeo', ['inspect', '--raw', `oci:${layout}`], { encoding: 'utf8' });
    const { layers } = JSON.parse(out) as { readonly layers: readonly { readonly size: number }[] };
    return layers.reduce((sum, { size }) => sum + size, 0);
  }

  override duel(what: string, row: Row): Promise<void> {
    return super.duel(what, { target: TARGET, ...row });
  }
}

/** A tree as an image, made beside the place where it goes. @param mode of the repository, which the image gets as well */
function pipeline(mode: Mode, commit: string, withRepository: boolean, to: string): string {
  const checkout = `ostree checkout ${mode === 'bare' ? '-H ' : ''}--repo=${mode} ${commit} tree`;
  const repository = withRepository
    ? `ostree init --repo=repo --mode=archive; ostree pull-local --repo=repo ${mode} ${commit}; `
    : '';
  const insert = withRepository ? 'umoci insert --image made:v1 repo /ostree/repo; ' : '';
  return (
    `${checkout}; ${repository}umoci init --layout made; umoci new --image made:v1; ` +
    `umoci insert --image made:v1 tree /; ${insert}${SKOPEO} oci:made:v1 ${to}`
  );
}

const LEFT = ['tree', 'repo', 'made'];

async function buildRows(bench: Bench): Promise<void> {
  const commit = bench.commitOf('d1');
  const clean = (): void => bench.remove(...LEFT, 'ours', 'theirs');
  const to = ['--oci-dir', `${bench.path('ours')}:v1`];
  for (const [what, format, mode, withRepository] of [
    ['build, seed, of an archive; theirs has the repository, too', 'seed', 'archive', true],
    ['build, seed, of an archive; theirs is the files alone', 'seed', 'archive', false],
    ['build, seed, of bare; theirs has the repository, too', 'seed', 'bare', true],
    ['build, v1, of an archive', 'v1', 'archive', false],
    ['build, v1, of bare', 'v1', 'bare', false],
  ] as const) {
    const theirs = `${pipeline(mode, commit, withRepository, 'oci:theirs:v1')}; sync -f theirs`;
    await bench.duel(what, { ours: bench.build(format, mode, to), theirs, before: clean });
  }
  clean();
}

async function pushRows(bench: Bench): Promise<void> {
  const commit = bench.commitOf('d1');
  const host = bench.registry.host;
  const before = (): void => {
    bench.remove(...LEFT);
    rmSync(bench.registry.storage, { recursive: true, force: true });
    mkdirSync(bench.registry.storage);
  };
  for (const [what, format, withRepository] of [
    ['build and push, seed, of an archive', 'seed', true],
    ['build and push, v1, of an archive', 'v1', false],
  ] as const) {
    const to = ['--tls-verify=false', '--push', `${host}/ours:v1`];
    const theirs = pipeline('archive', commit, withRepository, `docker://${host}/theirs:v1`);
    await bench.duel(what, { ours: bench.build(format, 'archive', to), theirs, before });
  }
  before();
}

async function pullRows(bench: Bench): Promise<void> {
  const { host } = bench.registry;
  bench.remove(...LEFT);
  bench.shell(pipeline('archive', bench.commitOf('d1'), false, `docker://${host}/theirs:v1`));
  bench.remove(...LEFT);
  for (const format of ['seed', 'v1'] as const) {
    bench.shell(`${SKOPEO} oci:${bench.layout(format)}:v1 docker://${host}/${format}:v1`);
    const words = ['--tls-verify=false', '--no-verify', '--repo', bench.path('ours'), '--ref', REF];
    await bench.duel(`pull, ${format}, into bare`, {
      ours: bench.ours('pull', ...words, `${host}/${format}:v1`),
      theirs:
        `${SKOPEO} docker://${host}/theirs:v1 oci:copied:v1; umoci unpack --image copied:v1 unpacked; ` +
        `ostree commit --repo=theirs --branch=${REF} '${TIME}' --tree=dir=unpacked/rootfs`, // which flushes by itself
      before: (side) => {
        bench.remove('copied', 'unpacked', side);
        bench.shell(`ostree init --repo=${side} --mode=bare`);
      },
    });
  }
  bench.remove('copied', 'unpacked', 'ours', 'theirs');
}

/** What each format costs, whole and as an update. */
async function byteRows(bench: Bench): Promise<void> {
  const [before, after] = [bench.commitOf('d1'), bench.commitOf('d1b')];
  const [seed, v1] = [bench.layout('seed'), bench.layout('v1')];
  const from = ['--repo', bench.path('archive')];
  const delta = ['--no-webserver', '--static-delta', before];
  bench.run(bench.ours('build', ...from, '--ref', after, ...delta, '--oci-dir', `${seed}:v2`));
  const prior = ['--prior-build', `oci:${v1}:v1`];
  bench.run(bench.ours('container', 'encapsulate', ...from, ...prior, after, `oci:${v1}:v2`));
  for (const format of ['seed', 'v1'] as const) {
    bench.remove('client');
    bench.shell('ostree init --repo=client --mode=bare');
    const first = bench.fetched(`${bench.path(format)}:v1`);
    const update = bench.fetched(`${bench.path(format)}:v2`);
    printBytes(`${format}, the image`, bench.sizeOf(`${bench.path(format)}:v1`));
    printBytes(`${format}, a first pull`, first);
    printBytes(`${format}, the update of 30 packages`, update, first);
  }
  bench.remove('client');
}

function printBytes(what: string, bytes: number, of?: number): void {
  const share = of === undefined ? '' : `  ${((100 * bytes) / of).toFixed(1)} % of a first pull`;
  console.log(`${what.padEnd(58)} ${`${(bytes / MIB).toFixed(1)} MiB`.padStart(20)}${share}`);
}
