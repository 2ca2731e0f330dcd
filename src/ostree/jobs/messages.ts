/** What goes between the pool and its threads. */
import type { PoolPlace } from './pool.ts';
import type { JobKind, Jobs } from './table.ts';
import type { FrozenError } from './thread-error.ts';

export interface WorkerStart {
  readonly place: PoolPlace;
}

export interface Request {
  readonly id: number;
  readonly kind: JobKind;
  readonly batch: Jobs[JobKind]['batch'];
}

export type Reply =
  | { readonly kind: 'done'; readonly id: number; readonly result: Jobs[JobKind]['result'] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: FrozenError };
