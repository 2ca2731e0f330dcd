/** One system call out of a log of `strace -f -o LOG`. */
export interface Call {
  readonly thread: number;
  /** The main thread of its process. */
  readonly process: number;
  /** What that process last executed, for telling `systemctl` from ourselves. */
  readonly program: string;
  readonly call: string;
  /** As strace writes them, without the parentheses. */
  readonly args: string;
  /** `0`, `-1 ENOENT (No such file or directory)`; empty when the process ended within the call. */
  readonly result: string;
}

interface Entry {
  readonly thread: number;
  readonly call: string;
  args: string;
  result: string;
}

/**
 * Read a log of strace that traces clone, clone3, fork, vfork and execve besides what is wanted. `main` is the process
 * that strace started. Calls are listed by their beginning; one that another thread interrupts is put together again:
 *
 *     12 rename("a", "b" <unfinished ...>
 *     13 fsync(5) = 0
 *     12 <... rename resumed>) = 0
 */
export function parseStrace(log: string): { readonly main: number; readonly calls: readonly Call[] } {
  const entries = join(log);
  const main = entries[0]?.thread;
  if (main === undefined) throw new Error('strace logged nothing: execve at least has to be among the traced calls');
  const processOf = new Map<number, number>([[main, main]]);
  const programOf = new Map<number, string>();
  // A new thread's first calls may be logged before its creator's clone has returned: find all families first.
  for (const { thread, call, args, result } of entries) {
    const child = /^(clone3?|v?fork)$/.test(call) ? Number(/^\d+/.exec(result)?.[0] ?? 0) : 0;
    if (child !== 0) processOf.set(child, args.includes('CLONE_THREAD') ? (processOf.get(thread) ?? thread) : child);
  }
  const calls = entries.map((entry) => {
    const process = processOf.get(entry.thread) ?? entry.thread;
    const executed = entry.call === 'execve' ? /^"([^"]*)"/.exec(entry.args)?.[1] : undefined;
    if (executed !== undefined) programOf.set(process, executed);
    return { ...entry, process, program: programOf.get(process) ?? '' };
  });
  return { main, calls };
}

function join(log: string): readonly Entry[] {
  const entries: Entry[] = [];
  const open = new Map<number, Entry>();
  for (const line of log.split('\n')) {
    const [, id, text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const thread = Number(id);
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(text);
    if (resumed !== null) {
      const entry = open.get(thread);
      if (entry !== undefined) Object.assign(entry, ending(entry.args + (resumed[2] ?? '')));
      open.delete(thread);
      continue;
    }
    const [, call, rest = ''] = /^(\w+)\((.*)$/.exec(text) ?? [];
    if (call === undefined) continue; // "+++ exited with 0 +++" and signals
    const cut = /^(.*?) ?<unfinished \.\.\.>$/.exec(rest);
    const entry = { thread, call, ...(cut === null ? ending(rest) : { args: cut[1] ?? '', result: '' }) };
    entries.push(entry);
    if (cut !== null) open.set(thread, entry);
  }
  return entries;
}

function ending(text: string): { readonly args: string; readonly result: string } {
  const [, args = text, result = ''] = /^(.*)\) += (.*)$/.exec(text) ?? [];
  return { args, result };
}
