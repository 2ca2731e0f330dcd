/** Kill a program with threads at its N-th durable call, counted over all of them: strace counts for each thread alone. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './program.ts';

/** Calls that libuv makes, and those through koffi after `koffi.load(null)`. Clears the variable for children. */
const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long count;
static long kill_at;
static char *count_to;

__attribute__((constructor)) static void begin(void) {
  char *at = getenv("KILL_AT");
  kill_at = at ? atol(at) : 0;
  count_to = getenv("COUNT_TO");
  unsetenv("KILL_AT"); unsetenv("COUNT_TO"); unsetenv("LD_PRELOAD");
}
__attribute__((destructor)) static void end(void) {
  FILE *file = count_to ? fopen(count_to, "w") : NULL;
  if (file) { fprintf(file, "%ld", atomic_load(&count)); fclose(file); }
}
static void counted(void) {
  if (atomic_fetch_add(&count, 1) + 1 == kill_at) kill(getpid(), SIGKILL);
}
#define WRAP(name, declared, passed) \\
  int name declared { \\
    static int (*real) declared; \\
    if (!real) real = dlsym(RTLD_NEXT, #name); \\
    counted(); \\
    return real passed; \\
  }
WRAP(rename, (const char *a, const char *b), (a, b))
WRAP(renameat2, (int a, const char *b, int c, const char *d, unsigned int e), (a, b, c, d, e))
WRAP(link, (const char *a, const char *b), (a, b))
WRAP(symlink, (const char *a, const char *b), (a, b))
WRAP(unlink, (const char *a), (a))
WRAP(rmdir, (const char *a), (a))
WRAP(mkdir, (const char *a, mode_t b), (a, b))
WRAP(fchmod, (int a, mode_t b), (a, b))
WRAP(ftruncate64, (int a, off64_t b), (a, b))
WRAP(fsync, (int a), (a))
WRAP(fdatasync, (int a), (a))
WRAP(syncfs, (int a), (a))
`;

export interface KillCounter {
  /** The environment of a run that is killed at this call; 1 is the first. */
  killAt(n: number): Readonly<Record<string, string>>;
  /** The environment of a run that is counted, ... */
  readonly counting: Readonly<Record<string, string>>;
  /** ... and after it the number of its calls. */
  count(): number;
}

/** Needs `gcc`. @param folder of the test */
export async function killCounter(folder: string): Promise<KillCounter> {
  const [source, library, total] = [join(folder, 'kill-at.c'), join(folder, 'kill-at.so'), join(folder, 'count')];
  writeFileSync(source, SOURCE);
  await must('gcc', ['-O1', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  return {
    killAt: (n) => ({ LD_PRELOAD: library, KILL_AT: String(n) }),
    counting: { LD_PRELOAD: library, COUNT_TO: total },
    count: () => Number(readFileSync(total, 'latin1')),
  };
}
