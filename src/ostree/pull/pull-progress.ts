/** How far a pull is. The total is known where a delta or `ostree.sizes` tell it; elsewhere only steps are told. */
import type { Progress } from '../../base/progress.ts';
import { neededOf, sizesOf, totalOf } from '../history/commit-sizes.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { ReceivedCommit } from './commits.ts';
import type { DeltaOffer } from './delta-choice.ts';

const TASK = 'pull';

export class PullProgress {
  readonly #emit: Progress;
  #total = 0;
  #done = 0;
  #isOpen = false;

  constructor(emit: Progress) {
    this.#emit = emit;
  }

  begin(commits: readonly ReceivedCommit[], reader: ObjectReader, offers: ReadonlyMap<Checksum, DeltaOffer>): void {
    let total = 0;
    for (const { checksum, commit, isComplete } of commits) {
      if (isComplete) continue;
      const offer = offers.get(checksum);
      const bytes = offer === undefined ? missingBytes(commit, reader) : offerBytes(offer);
      if (bytes === undefined) return; // one that nobody knows: then a total would be a lie
      total += bytes;
    }
    this.#total = total;
    if (total === 0) return;
    this.#isOpen = true;
    this.#emit({ kind: 'start', task: TASK, label: 'objects', total, done: 0 });
  }

  received(_checksum: Checksum | undefined, bytes: number): void {
    this.#done += bytes;
    if (this.#isOpen) this.#emit({ kind: 'advance', task: TASK, done: Math.min(this.#done, this.#total) });
  }

  note(text: string): void {
    this.#emit({ kind: 'note', text });
  }

  end(ok: boolean): void {
    if (this.#isOpen) this.#emit({ kind: 'end', task: TASK, ok });
    this.#isOpen = false;
  }
}

/** Undefined when the commit does not say how large its objects are. */
export function missingBytes(commit: ReceivedCommit['commit'], reader: ObjectReader): number | undefined {
  const sizes = sizesOf(commit);
  return sizes && totalOf(neededOf(sizes, reader)).archived;
}

/** Parts, and what has to be fetched beside them. */
export function offerBytes({ bytes, superblock }: DeltaOffer): number {
  return superblock.fallbacks.reduce((sum, { size }) => sum + size, bytes);
}
