/**
 * What long work tells about itself. The work emits events and knows nothing of terminals; the command line turns
 * them into a bar, lines or JSON lines.
 */
export type ProgressEvent =
  /** A transfer begins; `total` is known before the first byte. `done` bytes were there already. */
  | {
      readonly kind: 'start';
      readonly task: string;
      readonly label: string;
      readonly total: number;
      readonly done: number;
    }
  /** `done` bytes of a started task are there now. */
  | { readonly kind: 'advance'; readonly task: string; readonly done: number }
  /** A started task has ended, well or not. */
  | { readonly kind: 'end'; readonly task: string; readonly ok: boolean }
  /** Something worth a line of its own: a step, a retry, a wait. */
  | { readonly kind: 'note'; readonly text: string }
  /** Something an administrator should look at, though the work goes on. */
  | { readonly kind: 'warning'; readonly text: string };

export type Progress = (event: ProgressEvent) => void;

/** For callers that do not want to hear anything. */
export const silent: Progress = () => undefined;
