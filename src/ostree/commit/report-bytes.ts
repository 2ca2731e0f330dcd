/** Progress of storing contents. */
import type { Progress } from '../../base/progress.ts';
import { formatBytes, printable } from '../../base/text.ts';

export interface ByteReport {
  advance(done: number): void;
  end(ok: boolean): void;
}

/** How often somebody who waits for an end that nobody knows hears of it. */
const NOTE_MS = 5000;

/** @param total bytes, or undefined when nobody knows before the end: then there is a line from time to time */
export function reportBytes(name: string, total: number | undefined, onProgress: Progress | undefined): ByteReport {
  if (onProgress === undefined) return { advance: () => undefined, end: () => undefined };
  if (total === undefined) return noting(name, onProgress);
  onProgress({ kind: 'start', task: name, label: name, total, done: 0 });
  return {
    advance: (done) => onProgress({ kind: 'advance', task: name, done }),
    end: (ok) => onProgress({ kind: 'end', task: name, ok }),
  };
}

function noting(name: string, onProgress: Progress): ByteReport {
  let lastMs = performance.now();
  return {
    advance(done) {
      const nowMs = performance.now();
      if (nowMs - lastMs < NOTE_MS) return;
      lastMs = nowMs;
      onProgress({ kind: 'note', text: `${printable(name)}: ${formatBytes(done)} so far` });
    },
    end: () => undefined,
  };
}
