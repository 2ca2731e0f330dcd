/**
 * A system container of 300 MB (`/usr/lib` of the Debian root D1): installing it beside what `ostree checkout -H` takes
 * for the same tree, an update, a pull beside `skopeo copy` and `umoci unpack`, and the disk that ten versions take.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RegistryBench, runSections, SKOPEO } from './registry-bench.ts';

const MAIN =
  process.env['BENCH_OS_CONTAINERS'] ?? fileURLToPath(new URL('../../build/bundle/os-containers.js', import.meta.url));
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const NAME = 'localhost/bench:latest';
const INSTALL_TARGET = 1.2;
const INSTALL_LIMIT_S = 3;
const DISK_TARGET = 1.6;
const VERSIONS = 10;

export function benchSystemContainers(): Promise<void> {
  return runSections(['d1'], { install: installRows, pull: pullRows, disk: diskRow }, ({ disk, data, registry }) => {
    const bench = new Bench(disk, registry, ROUNDS);
    bench.image(join(data, 'd1/usr/lib'));
    return bench;
  });
}

class Bench extends RegistryBench {
  /** Nothing of the host but the deployment: what is measured are layers and links, not systemd. */
  image(tree: string): void {
    mkdirSync(this.path('tree/exports'), { recursive: true });
    mkdirSync(this.path('tree/usr'));
    writeFileSync(this.path('tree/exports/manifest.json'), '{ "version": "1.0", "noContainerService": true }\n');
    this.shell(
      `cp -a ${tree} tree/usr/lib; umoci init --layout image; umoci new --image image:1; umoci insert --image image:1 tree /`,
    );
    this.shell(`${SKOPEO} oci:image:1 ${this.inRegistry('bench:1')}`);
  }

  ours(...words: readonly string[]): readonly string[] {
    return [process.execPath, MAIN, '--checkouts', this.path('atomic'), '--runtime', '/bin/true', '--quiet', ...words];
  }

  run([file = '', ...words]: readonly string[]): string {
    return execFileSync(file, words, { cwd: this.disk, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** What installations keep beside the image. */
  merged(): readonly string[] {
    return this.run(['ostree', 'refs', '--repo=atomic/.storage/repo', '--list', 'os-containers/merged'])
      .split('\n')
      .filter(Boolean);
  }

  /** A first one has to make it. */
  forgetMerged(): void {
    for (const ref of this.merged()) this.run(['ostree', 'refs', '--repo=atomic/.storage/repo', '--delete', ref]);
  }

  bytes(...names: readonly string[]): number {
    const out = this.run(['du', '-sc', '-B1', ...names]);
    return Number(/^(\d+)\ttotal$/m.exec(out)?.[1]);
  }
}

async function installRows(bench: Bench): Promise<void> {
  bench.run(bench.ours('pull', '--name', NAME, `oci:${bench.path('image')}:1`));
  bench.run(bench.ours('install', '--name', 'kept', NAME));
  bench.shell(`ostree refs --repo=atomic/.storage/repo --create=bench ${bench.merged().join(' ')}`);
  const theirs = 'ostree checkout -H --repo=atomic/.storage/repo bench out; sync -f out';
  for (const [what, isFirst] of [
    ['install after pull, the first time', true],
    ['install after pull, once more', false],
  ] as const) {
    await bench.duel(what, {
      ours: bench.ours('install', '--name', 'bench', NAME),
      theirs,
      target: INSTALL_TARGET,
      before(side) {
        bench.remove('out', 'atomic/bench', 'atomic/bench.0');
        if (side === 'ours' && isFirst) bench.forgetMerged();
      },
    });
  }
  console.log(`${''.padEnd(58)} limit of an installation: ${INSTALL_LIMIT_S} s`);
  bench.remove('out', 'atomic');
}

async function pullRows(bench: Bench): Promise<void> {
  const image = `${bench.registry.host}/bench:1`;
  await bench.duel('pull from a registry; theirs: skopeo copy, umoci unpack', {
    ours: bench.ours('pull', '--insecure', image),
    theirs: `${SKOPEO} docker://${image} oci:copy:1; umoci unpack --image copy:1 out; sync -f out`,
    before: () => bench.remove('atomic', 'copy', 'out'),
  });
  bench.remove('atomic', 'copy', 'out');
}

/** Versions that share 95 % of their files, each an image with one layer of its own. */
async function diskRow(bench: Bench): Promise<void> {
  let one = 0;
  for (let version = 1; version <= VERSIONS; version++) {
    if (version > 1) change(bench, version);
    bench.run(bench.ours('pull', '--name', `localhost/bench:${version}`, `oci:${bench.path('image')}:${version}`));
    if (version === 1) bench.run(bench.ours('install', '--name', 'bench', 'localhost/bench:1'));
    else bench.run(bench.ours('update', 'bench', '--rebase', `localhost/bench:${version}`));
    if (version === 1) one = bench.bytes('atomic');
  }
  const ratio = bench.bytes('atomic') / one;
  const mark = ratio <= DISK_TARGET ? 'met' : 'MISSED';
  const what = `disk of ${VERSIONS} versions that differ in 5 %`;
  console.log(`${what.padEnd(58)} ${ratio.toFixed(2)} times one version  target <= ${DISK_TARGET.toFixed(2)}  ${mark}`);
}

/** Another twentieth of the files gets a byte more. */
function change(bench: Bench, version: number): void {
  const files = bench
    .run(['find', 'tree/usr/lib', '-type', 'f', '-links', '1', '-size', '+0'])
    .split('\n')
    .filter(Boolean)
    .sort();
  for (const [i, file] of files.entries()) {
    if (i % 20 === version % 20)
      writeFileSync(bench.path(file), Buffer.concat([readFileSync(bench.path(file)), Buffer.from([version])]));
  }
  bench.shell(`umoci new --image image:${version}; umoci insert --image image:${version} tree /`);
}
