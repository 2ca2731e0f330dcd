import vm from 'node:vm';

/**
 * Run something that does not yield, WebAssembly included, and stop it after a time. What it was doing then is left
 * half done: nothing it used may be used again.
 * @throws Error with code ERR_SCRIPT_EXECUTION_TIMEOUT; what the work throws
 */
export function withDeadline<T>(work: () => T, timeoutMs: number): T {
  const box: { result?: T } = {};
  const context = vm.createContext({
    run: () => {
      box.result = work();
    },
  });
  vm.runInContext('run()', context, { timeout: timeoutMs });
  return box.result as T; // set, or the line above has thrown
}
