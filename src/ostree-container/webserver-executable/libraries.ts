/** Would a program of this machine run in that tree? Its loader, its libraries, and theirs, each new enough. */
import { printable } from '../../base/text.ts';
import { type Requirements, readRequirements } from './elf/dynamic.ts';
import { machineName } from './elf/elf-file.ts';
import { bytesSource } from './elf/sources.ts';
import { INSTEAD, WebserverError } from './error.ts';
import { type TreeFiles, wholeContent } from './tree-files.ts';

/** No library that Node needs is nearly as large. */
const LARGEST_LIBRARY = 64 * 2 ** 20;
/** A program with more of them than this is none of ours. */
const MOST_LIBRARIES = 100;

/** Where the loaders of glibc and musl look without being told. Source: ld.so(8), Debian's multiarch. */
const FOLDERS = ['/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib'];
const MULTIARCH: Readonly<Record<number, string>> = {
  21: 'powerpc64le-linux-gnu',
  62: 'x86_64-linux-gnu',
  183: 'aarch64-linux-gnu',
  243: 'riscv64-linux-gnu',
  258: 'loongarch64-linux-gnu',
};

/** @throws WebserverError WEBSERVER_LIBRARIES */
export async function assertRuns(program: Requirements, files: TreeFiles): Promise<void> {
  const { loader } = program;
  if (loader !== undefined) await assertLoader(loader, program, files);
  const known = new Map<string, Requirements>();
  const waiting: { readonly name: string; readonly by: Requirements }[] = neededBy(program);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { name, by } = next;
    const library = known.get(name) ?? (await readLibrary(name, program.machine, files));
    if (library === undefined) throw refused(`the tree has no ${printable(name)}`);
    assertVersions(name, library, by);
    if (known.has(name)) continue;
    known.set(name, library);
    if (known.size > MOST_LIBRARIES) throw refused(`more than ${MOST_LIBRARIES} libraries are needed`);
    waiting.push(...neededBy(library));
  }
}

function neededBy(by: Requirements): { name: string; by: Requirements }[] {
  return by.libraries.map((name) => ({ name, by }));
}

function assertVersions(name: string, { provided }: Requirements, by: Requirements): void {
  for (const { library, version } of by.versions) {
    if (library !== name || provided.has(version)) continue;
    throw refused(`${name} of the tree is too old: it lacks ${version}`);
  }
}

async function assertLoader(path: string, { machine }: Requirements, files: TreeFiles): Promise<void> {
  const loader = await read(path, files);
  if (loader === undefined) {
    const musl = MUSL.find((each) => isThere(each, files));
    const other = musl === undefined ? '' : `; its C library is musl (${musl})`;
    throw refused(`the tree has no ${printable(path)}, the loader of this Node${other}`);
  }
  if (loader.machine === machine) return;
  throw refused(`${path} of the tree is for ${machineName(loader.machine)}, this Node for ${machineName(machine)}`);
}

const MUSL = ['x86_64', 'aarch64', 'riscv64', 'powerpc64le', 'loongarch64'].map((cpu) => `/lib/ld-musl-${cpu}.so.1`);

function isThere(path: string, files: TreeFiles): boolean {
  const file = files.open(path);
  file?.close();
  return file !== undefined;
}

/** The first of that name, as the loader takes it; one of another processor is stepped over. */
async function readLibrary(name: string, machine: number, files: TreeFiles): Promise<Requirements | undefined> {
  if (name.includes('/')) return read(name, files);
  const triplet = MULTIARCH[machine];
  const special = triplet === undefined ? [] : [`/lib/${triplet}`, `/usr/lib/${triplet}`];
  for (const folder of [...special, ...FOLDERS]) {
    const library = await read(`${folder}/${name}`, files);
    if (library?.machine === machine) return library;
  }
  return undefined;
}

/** Undefined when it is absent or not to be read: to the loader that is the same. */
async function read(path: string, files: TreeFiles): Promise<Requirements | undefined> {
  const file = files.open(path);
  const bytes = file && (await wholeContent(file, LARGEST_LIBRARY));
  if (bytes === undefined) return undefined;
  try {
    return readRequirements(bytesSource(path, bytes));
  } catch (error) {
    if (error instanceof WebserverError) return undefined;
    throw error;
  }
}

function refused(why: string): WebserverError {
  return new WebserverError('WEBSERVER_LIBRARIES', `the web server would not run in the image: ${why}`, {
    hint: INSTEAD,
  });
}
