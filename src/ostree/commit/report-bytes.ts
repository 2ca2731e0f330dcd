/** Progress of storing contents. */
import type { Progress } from '../../base/progress.ts';

export interface ByteReport {
  advance(done: number): void;
  end(ok: boolean): void;
}

/** @param total bytes, or undefined when nobody knows before the end: then only what was stored is told, at the end */
export function reportBytes(label: string, total: number | undefined, onProgress: Progress | undefined): ByteReport {
  if (onProgress === undefined) return { advance: () => undefined, end: () => undefined };
  let known = total ?? 0;
  const start = (): void => onProgress({ kind: 'start', task: label, label, total: known, done: 0 });
  start();
  return {
    advance(done) {
      if (done > known && total === undefined) known = done;
      onProgress({ kind: 'advance', task: label, done });
    },
    end: (ok) => onProgress({ kind: 'end', task: label, ok }),
  };
}
