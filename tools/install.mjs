// `make install` and `make uninstall`: copies what `make` has built, and takes away exactly what it copied.
// DESTDIR is where files are put now, PREFIX where they will be: texts name only the latter.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const prefix = normalize(process.env.PREFIX || '/usr/local').replace(/(?<=.)\/$/, '');
const destination = process.env.DESTDIR ? normalize(process.env.DESTDIR) : '/';
const node = process.env.NODE || '/usr/bin/env node';
/** Names in bin/, and the program that each starts: one may have two names. */
const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const programs = Object.entries(bin).map(([name, path]) => ({ name, program: path.split('/').at(-2) }));

/** Paths below PREFIX. */
const lib = 'lib/tako';
const doc = 'share/doc/tako';
const list = `${lib}/installed-files`;

const tasks = { install, uninstall };
const [what = ''] = process.argv.slice(2);
if (!Object.hasOwn(tasks, what)) stop(`usage: node tools/install.mjs ${Object.keys(tasks).join('|')}`);
// Units and the first line of a script take no quoting, and "%" is theirs.
if (!isAbsolute(prefix) || !/^[\w./+@-]+$/.test(prefix))
  stop(`PREFIX=${prefix}: not an absolute path of plain characters`);
if (!isAbsolute(destination)) stop(`DESTDIR=${destination}: not an absolute path`);
if (!/^\/[\w./+@ -]+$/.test(node)) stop(`NODE=${node}: not an absolute path of plain characters`);
tasks[what]();

function install() {
  if (!existsSync(join(root, 'build/bundle')) || !existsSync(join(root, 'build/share'))) stop('run "make" first');
  uninstall(); // an older version may have had files that this one has not
  const files = collect();
  const directories = [...new Set([...files.map(({ path }) => path), list].flatMap(parents))].sort();
  const missing = directories.filter((path) => !existsSync(staged(path)));
  mkdirSync(dirname(staged('')), { recursive: true });
  makeDirectories(parents(list), missing);
  // First the list, so that an interrupted run can be undone.
  const names = [...files.map(({ path }) => path), list, ...missing.toReversed()];
  write(list, { text: `${names.join('\n')}\n`, mode: 0o644 });
  makeDirectories(directories, missing);
  for (const file of files) write(file.path, file);
}

/** `./`, `share/`, `share/man/`. */
function parents(path) {
  const words = path.split('/').slice(0, -1);
  return ['./', ...words.map((_, i) => `${words.slice(0, i + 1).join('/')}/`)];
}

function makeDirectories(paths, missing) {
  for (const path of paths) {
    if (missing.includes(path)) {
      mkdirSync(staged(path), { recursive: true });
      chmodSync(staged(path), 0o755); // whatever the umask
    }
    const real = realpathSync(staged(path));
    if (!`${real}/`.startsWith(join(realpathSync(destination), '/')))
      stop(`${staged(path)}: leads out of DESTDIR, to ${real}`);
  }
}

function write(path, { text, link, mode }) {
  const target = staged(path);
  rmSync(target, { force: true }); // never through a link, nor into a file that is in use
  if (link !== undefined) return symlinkSync(link, target);
  writeFileSync(target, text, { flag: 'wx' });
  chmodSync(target, mode);
}

/** Directories that were made go too, once they are empty. */
function uninstall() {
  if (!existsSync(staged(list))) return;
  const paths = readFileSync(staged(list), 'utf8')
    .split('\n')
    .filter((path) => path !== '');
  for (const path of paths) {
    if (path.startsWith('/') || path.split('/').includes('..')) stop(`${staged(list)}: names "${path}"`);
    if (!path.endsWith('/')) rmSync(staged(path), { force: true });
  }
  for (const path of paths.filter((each) => each.endsWith('/'))) removeIfEmpty(staged(path));
}

function removeIfEmpty(path) {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code)) throw error;
  }
}

function collect() {
  return [
    ...tree('build/bundle', lib).map(start),
    ...programs.map(({ name, program }) => ({ path: `bin/${name}`, link: `../${lib}/${program}.js` })),
    ...koffi(),
    ...tree('build/share', 'share'),
    ...tree('systemd', 'lib/systemd/system').map(unit),
    ...tree('docs', doc),
    ...['LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md'].filter((name) => existsSync(join(root, name))).map(page),
  ];
}

/** The entry files are what bin/ points at, so the system runs them and the first line names their node. */
function start(file) {
  const isEntry = programs.some(({ program }) => file.path === `${lib}/${program}.js`);
  if (!isEntry) return file;
  const text = file.text.toString('utf8').replace(/^#!.*\n/, '');
  return { ...file, mode: 0o755, text: `#!${node}\n${text}` };
}

function unit(file) {
  const text = file.text
    .toString('utf8')
    .replaceAll('/usr/lib/node_modules/tako/docs/', join(prefix, doc, '/'))
    .replaceAll(
      /^(Exec\w+=[-+!@:]*)\/usr\/bin\/(?=(?:tako|os-containers) )/gm,
      (_, start) => `${start}${join(prefix, 'bin')}/`,
    );
  return { ...file, text };
}

function page(name) {
  return { path: `${doc}/${name}`, text: readFileSync(join(root, name)), mode: 0o644 };
}

/** The optional package for system calls, without its sources and manuals, when it is installed and has its binary. */
function koffi() {
  const modules = 'node_modules';
  const native = join(root, modules, '@koromix');
  if (!existsSync(join(root, modules, 'koffi')) || !existsSync(native)) return [];
  const binaries = readdirSync(native).filter((name) => name.startsWith('koffi-'));
  if (binaries.length === 0) return [];
  const wanted = /^(package\.json|LICENSE\.txt|.*\.c?js)$/;
  return [
    ...tree(
      `${modules}/koffi`,
      `${lib}/${modules}/koffi`,
      (path) => wanted.test(path) && !/^(doc|vendor|lib|cnoke)/.test(path),
    ),
    ...binaries.flatMap((name) => tree(`${modules}/@koromix/${name}`, `${lib}/${modules}/@koromix/${name}`)),
  ];
}

function tree(from, to, wanted = () => true) {
  const directory = join(root, from);
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath ?? entry.path, entry.name)))
    .filter(wanted)
    .sort()
    .map((path) => ({ path: `${to}/${path}`, text: readFileSync(join(directory, path)), mode: 0o644 }));
}

function staged(path) {
  return join(destination, prefix, path);
}

function stop(text) {
  console.error(text);
  process.exit(2);
}
