/** A disk with a registry on it, and contenders that work there. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DockerRegistry, startDockerRegistry } from '../test/support/docker-registry.ts';
import { openDisk } from './disk.ts';
import { printDuel, printMemory, race } from './measure.ts';

export const SKOPEO = 'skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false';
/** Of commits. */
export const TIME = '--timestamp=2024-01-01 00:00:00 +0000';
export const MEMORY_MIB = 200;
export const MIB = 2 ** 20;

/** `ours` and `theirs` are names of files and repositories, too. */
export type Side = 'ours' | 'theirs';

export interface Row {
  readonly ours: readonly string[];
  /** For `sh`, in the directory of the bench. */
  readonly theirs: string;
  readonly before?: (side: Side) => void;
  readonly target?: number | undefined;
}

const MAKE_DATA = fileURLToPath(new URL('../../bench/make-data.sh', import.meta.url));

/** Each section in turn, or those that `BENCH_ROWS` names. @param sets of data, made where they are not there yet */
export async function runSections<Bench>(
  sets: readonly string[],
  sections: Readonly<Record<string, (bench: Bench) => Promise<void>>>,
  open: (place: { readonly disk: string; readonly data: string; readonly registry: DockerRegistry }) => Bench,
): Promise<void> {
  const disk = openDisk(32);
  const data = process.env['BENCH_DATA'] ?? join(disk.path, 'data');
  mkdirSync(data, { recursive: true });
  execFileSync('bash', [MAKE_DATA, ...sets], { env: { ...process.env, DATA: data }, stdio: ['ignore', 2, 2] });
  let registry: DockerRegistry | undefined;
  try {
    registry = await startDockerRegistry({ below: disk.path });
    const bench = open({ disk: disk.path, data, registry });
    const words = new Set((process.env['BENCH_ROWS'] ?? '').split(',').filter(Boolean));
    for (const [name, rows] of Object.entries(sections)) if (words.size === 0 || words.has(name)) await rows(bench);
  } finally {
    await registry?.stop();
    disk.close();
  }
}

export class RegistryBench {
  readonly disk: string;
  readonly registry: DockerRegistry;
  readonly #rounds: number;

  constructor(disk: string, registry: DockerRegistry, rounds: number) {
    this.disk = disk;
    this.registry = registry;
    this.#rounds = rounds;
  }

  path(name: string): string {
    return join(this.disk, name);
  }

  inRegistry(name: string): string {
    return `docker://${this.registry.host}/${name}`;
  }

  remove(...names: readonly string[]): void {
    for (const name of names) rmSync(this.path(name), { recursive: true, force: true });
  }

  shell(script: string): void {
    execFileSync('sh', ['-ec', script], { cwd: this.disk, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async duel(what: string, row: Row): Promise<void> {
    const { before = () => undefined } = row;
    const [ours, theirs] = await race(
      [
        { name: 'ours', command: row.ours, before: () => before('ours') },
        { name: 'theirs', command: ['sh', '-ec', `cd ${this.disk}; ${row.theirs}`], before: () => before('theirs') },
      ],
      this.#rounds,
    );
    if (ours === undefined || theirs === undefined) throw new Error('unreachable: two contenders');
    printDuel(what, ours, theirs, row.target);
    printMemory('', ours, MEMORY_MIB);
  }
}
