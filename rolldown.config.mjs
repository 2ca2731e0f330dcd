// The release bundle: `npm run bundle`. One entry file a program in build/bundle/, what is loaded on demand below it.
// The programs share no file: each starts from one, which holds what it needs and nothing else.
import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { defineConfig } from 'rolldown';
import { licenseTexts, packageOf } from './tools/license-texts.mjs';
import { webserverBundle } from './tools/webserver-bundle.mjs';

const { name, version, license, bin } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** What most commands need, in one file. Not the HTTP client, nor what imports it: most runs of `status` go without. */
const WORK =
  /\/src\/(base|linux|systemd|tako|trust|version)\/|\/src\/cli\/(progress|shared-options|tako\/(each-config|status|status-work))\.ts$|\/node_modules\/valibot\//;

const directory = 'build/bundle';
/** Roots of the packages that any of the bundles has code of. */
const bundled = new Set();

// One after the other, so none of them can clean the folder for all.
rmSync(new URL(directory, import.meta.url), { recursive: true, force: true });
export default defineConfig([
  // A program may go by two names.
  ...[...new Set(Object.values(bin).map((path) => basename(dirname(path))))].map((name) =>
    bundle(name, `src/cli/${name}/main.ts`, `chunks/${name}`),
  ),
  // A thread is started from a file beside the chunk that starts it, and must not import the entry file: that runs.
  ...['ostree-container', 'os-containers'].map((name) =>
    bundle(`chunks/${name}/worker`, 'src/ostree/jobs/worker.ts', `chunks/${name}/worker`),
  ),
]);

function bundle(entry, source, chunks) {
  return {
    cwd: import.meta.dirname,
    input: { [entry]: source },
    platform: 'node',
    // What is loaded on demand may import from the entry file: no second file before the program starts.
    preserveEntrySignatures: 'allow-extension',
    external: (id, importer) => id === 'koffi' || (id.startsWith('node:') && !isUnusedSpawn(id, importer)),
    plugins: [
      entries(),
      lazySpawn(),
      description(),
      licenses(),
      ...(entry === 'ostree-container' ? [webserver(chunks)] : []),
    ],
    output: {
      dir: directory,
      format: 'cjs',
      entryFileNames: '[name].js',
      // No hashes: an upgrade replaces files instead of leaving old ones.
      chunkFileNames: `${chunks}/[name].js`,
      minify: 'dce-only', // names and lines stay, for stack traces
      comments: { legal: true, annotation: false, jsdoc: false },
      codeSplitting: {
        groups: [
          // What is imported before the first command runs is one file: each costs a third of a millisecond.
          { name: entry, tags: ['$initial'], priority: 2 },
          { name: 'work', test: WORK, priority: 1 },
          // What every command on repositories imports before it begins: one file instead of thirty.
          { name: 'repository', test: /\/src\/ostree\/index\.ts$/, priority: 0 },
        ],
      },
    },
  };
}

/** rolldown puts a facade before every chunk when a module awaits at its top; `runMain` never rejects. */
function entries() {
  return {
    name: 'entries',
    transform: {
      filter: { id: /\/main\.ts$/ },
      handler: (code) => code.replace(/^await (?=runMain\()/m, 'void '),
    },
  };
}

/** commander loads node:child_process, and with it node:net and node:dgram, for a feature that is not used here. */
function lazySpawn() {
  return {
    name: 'lazy-spawn',
    resolveId: (id, importer) => (isUnusedSpawn(id, importer) ? '\0spawn.cjs' : undefined),
    load: (id) =>
      id === '\0spawn.cjs'
        ? "exports.spawn = (...words) => process.getBuiltinModule('node:child_process').spawn(...words);"
        : undefined,
  };
}

function isUnusedSpawn(id, importer) {
  return id === 'node:child_process' && importer?.includes('/node_modules/commander/') === true;
}

/** Tells node that these files are modules, and the program its version. */
function description() {
  const source = `${JSON.stringify({ name, version, license, type: 'commonjs', private: true }, null, 2)}\n`;
  return {
    name: 'description',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'package.json', source });
    },
  };
}

/** The licences of the packages whose code is in the bundle ask to come along. */
function licenses() {
  return {
    name: 'licenses',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => Object.keys(file.modules ?? {}));
      for (const root of modules.flatMap((id) => packageOf(id) ?? [])) bundled.add(root);
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: licenseTexts(bundled) });
    },
  };
}

/** What goes into images, beside the chunk that puts it there. */
function webserver(chunks) {
  return {
    name: 'webserver',
    async generateBundle() {
      const source = await webserverBundle();
      this.emitFile({ type: 'asset', fileName: `${chunks}/repo-webserver.bundle`, source });
    },
  };
}
