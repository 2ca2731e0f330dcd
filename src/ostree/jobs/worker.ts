/** A thread of the pool: does one batch after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Reply, Request, WorkerStart } from './messages.ts';
import { contextFor } from './pool.ts';
import { type JobKind, type Jobs, runJob } from './table.ts';
import { freezeError } from './thread-error.ts';

const { place } = workerData as WorkerStart;
const context = contextFor(place);

parentPort?.on('message', ({ id, kind, batch }: Request) => {
  const done = (result: Jobs[JobKind]['result']): void => reply({ kind: 'done', id, result });
  const failed = (error: unknown): void => reply({ kind: 'failed', id, error: freezeError(error) });
  void runJob(kind, context, batch as never).then(done, failed);
});

function reply(message: Reply): void {
  parentPort?.postMessage(message);
}
