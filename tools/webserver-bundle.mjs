// The web server of images as one script: what `ostree-container build` puts into them, without anything beside it.
// usage: node tools/webserver-bundle.mjs [FOLDER]   (default: where the built program looks for it)
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { licenseTexts, packageOf } from './license-texts.mjs';

const root = join(import.meta.dirname, '..');
const NAME = 'repo-webserver.bundle';

/** The same bytes for the same sources, on every machine. */
export async function webserverBundle() {
  const build = await rolldown({
    cwd: root,
    input: { 'repo-webserver': 'src/cli/ostree-container/repo-webserver.ts' },
    platform: 'node',
    external: (id) => id.startsWith('node:'),
    onLog: () => undefined, // remarks about the size of chunks
  });
  const { output } = await build.generate({
    format: 'cjs', // a single executable knows no modules
    minify: 'dce-only', // names and lines stay, for stack traces
    codeSplitting: false,
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  await build.close();
  const entry = output.find((file) => file.isEntry);
  const others = [...entry.imports, ...entry.dynamicImports].filter((id) => id !== entry.fileName && !isBuiltin(id));
  if (others.length > 0) throw new Error(`${NAME} is not whole: it wants ${others.join(', ')}`);
  const packages = Object.entries(entry.modules).flatMap(([id, { renderedLength }]) =>
    renderedLength > 0 ? (packageOf(id) ?? []) : [],
  );
  return `${entry.code}\n/*\n${licenseTexts(packages).replaceAll('*/', '* /')}*/\n`;
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.argv[2] ?? join(root, 'dist/src/ostree-container/webserver-executable');
  mkdirSync(folder, { recursive: true });
  // Another build may be reading it.
  writeFileSync(join(folder, `${NAME}.new`), await webserverBundle());
  renameSync(join(folder, `${NAME}.new`), join(folder, NAME));
}
