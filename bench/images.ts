import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DockerRegistry } from '../test/support/docker-registry.ts';
import { type Contender, printMemory, race } from './measure.ts';
import { MEMORY_MIB, MIB, RegistryBench, runSections, SKOPEO, TIME } from './registry-bench.ts';

/** As it is installed: the release bundle. */
const MAIN = fileURLToPath(new URL('../../build/bundle/ostree-container.js', import.meta.url));
const DRIVER = fileURLToPath(new URL('image-driver.js', import.meta.url));

/** Layers for which memory must be the same. */
const LAYERS_MIB = [100, 1000];
/** For a quick look: `BENCH_ROUNDS=1`. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);

export function benchImages(): Promise<void> {
  return runSections(['d1', 'd4'], SECTIONS, ({ disk, data, registry }) => new Bench(disk, join(data, 'd4'), registry));
}

const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  copy: copyRows,
  unpack: unpackRows,
  stream: streamRows,
  memory: memoryRows,
};

class Bench extends RegistryBench {
  /** An image layout with D1 as `v1`. */
  readonly layout: string;

  constructor(disk: string, layout: string, registry: DockerRegistry) {
    super(disk, registry, ROUNDS);
    this.layout = layout;
  }

  fresh(name: string): void {
    this.remove(name);
    this.shell(`ostree init --repo=${name} --mode=bare`);
  }
}

const copy = (from: string, to: string): string[] => [
  ...[process.execPath, MAIN, 'image', 'copy', '--quiet', '--insecure-policy'],
  ...['--src-tls-verify=false', '--dest-tls-verify=false', from, to],
];
const pull = (from: string, repository: string, ...target: readonly string[]): string[] => [
  ...[process.execPath, DRIVER, from, repository],
  ...target,
];

async function copyRows(bench: Bench): Promise<void> {
  const { layout } = bench;
  const from = bench.inRegistry('source/d1:v1');
  bench.shell(`${SKOPEO} oci:${layout}:v1 ${from}`);
  await bench.duel('registry -> layout, D4', {
    ours: copy(from, `oci:${bench.path('ours')}:v1`),
    theirs: `${SKOPEO} ${from} oci:theirs:v1; sync -f theirs`,
    before: (side) => bench.remove(side),
    target: 1.0,
  });
  bench.remove('ours', 'theirs');
  const to = bench.inRegistry('target/d1:v1');
  await bench.duel('layout -> registry, D4', {
    ours: copy(`oci:${layout}:v1`, to),
    theirs: `${SKOPEO} oci:${layout}:v1 ${to}`,
    before: () => {
      rmSync(bench.registry.storage, { recursive: true, force: true });
      mkdirSync(bench.registry.storage);
    },
  });
}

async function unpackRows(bench: Bench): Promise<void> {
  const image = `${bench.layout}:v1`;
  await bench.duel('layout -> files, D4', {
    ours: pull(`oci:${image}`, bench.path('repo'), bench.path('ours')),
    theirs: `umoci raw unpack --image ${image} theirs; sync -f theirs`,
    before: (side) => {
      bench.remove(side);
      if (side === 'ours') bench.fresh('repo');
    },
    target: 0.8,
  });
  bench.remove('ours', 'theirs', 'repo');
}

async function streamRows(bench: Bench): Promise<void> {
  const from = bench.inRegistry('source/d1:v1');
  bench.shell(`${SKOPEO} oci:${bench.layout}:v1 ${from}`);
  await bench.duel('registry -> repository, bare, D4', {
    ours: pull(from, bench.path('ours')),
    theirs:
      `${SKOPEO} ${from} oci:layout:v1; umoci unpack --image layout:v1 unpacked; ` +
      `ostree commit --repo=theirs --branch=image '${TIME}' --tree=dir=unpacked/rootfs`, // which flushes by itself
    before: (side) => {
      bench.remove('layout', 'unpacked');
      bench.fresh(side);
    },
    target: 0.35,
  });
  bench.remove('layout', 'unpacked', 'ours', 'theirs');
}

async function memoryRows(bench: Bench): Promise<void> {
  for (const mib of LAYERS_MIB) {
    const from = bench.inRegistry(`large/layer:${mib}`);
    makeLarge(bench, mib, from);
    const copied: Contender = {
      name: 'image copy',
      command: copy(from, `oci:${bench.path('ours')}:x`),
      before: () => bench.remove('ours'),
    };
    const imported: Contender = {
      name: 'import',
      command: pull(from, bench.path('repo')),
      before: () => bench.fresh('repo'),
    };
    for (const each of await race([copied, imported], 1)) {
      printMemory(`${each.name}, a layer of ${mib} MB, memory`, each, MEMORY_MIB);
    }
    bench.remove('ours', 'repo');
  }
}

/** One file of half the layer, the rest in files of all sizes; half of it does not compress. */
function makeLarge(bench: Bench, mib: number, to: string): void {
  bench.remove('large', 'large.tar', 'large.oci');
  mkdirSync(bench.path('large'));
  const noise = randomBytes(8 * MIB);
  for (let i = 0; i < mib / 16; i++) writeFileSync(bench.path('large/big'), noise, { flag: 'a' });
  const left = (mib * MIB) / 2;
  for (let i = 0, done = 0; done < left; i++) {
    const size = [8 * MIB, MIB / 2, 30_000][i % 3] ?? 0;
    writeFileSync(bench.path(`large/${i}`), Buffer.alloc(size, `${i} of some text that repeats itself `));
    done += size;
  }
  bench.shell(
    `tar -cf large.tar -C large .; umoci init --layout large.oci; umoci new --image large.oci:x; ` +
      `umoci raw add-layer --image large.oci:x large.tar; ${SKOPEO} oci:large.oci:x ${to}`,
  );
  bench.remove('large', 'large.tar', 'large.oci');
}
