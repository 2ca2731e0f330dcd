import { HttpError } from '../error.ts';
import { onAbort } from './on-abort.ts';

export interface Sleeper {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Ends all sleeps, and refuses new ones. */
  close(): void;
}

export function createSleeper(): Sleeper {
  const wakers = new Set<(error: HttpError) => void>();
  let closed = false;
  return {
    sleep(ms, signal) {
      signal.throwIfAborted();
      if (closed) return Promise.reject(closedError());
      return new Promise((resolve, reject) => {
        const settle = (answer: () => void): void => {
          clearTimeout(timer);
          release();
          wakers.delete(onClose);
          answer();
        };
        const onClose = (error: HttpError): void => settle(() => reject(error));
        const timer = setTimeout(() => settle(resolve), ms);
        const release = onAbort(signal, () => settle(() => reject(signal.reason)));
        wakers.add(onClose);
      });
    },
    close() {
      closed = true;
      for (const wake of [...wakers]) wake(closedError());
    },
  };
}

export function closedError(): HttpError {
  return new HttpError('HTTP_CLOSED', 'the http client was closed');
}
