// Manual pages and shell completions into build/share, from the definitions of the programs: `npm run generate`.
// The sources are bundled first, so that neither a compiler nor a Node that reads TypeScript is needed.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const share = join(root, 'build', 'share');

const { tako, ostreeContainer, osContainers, bash, zsh, fish, manual } = await load({
  tako: 'src/cli/tako/definition.ts',
  ostreeContainer: 'src/cli/ostree-container/definition.ts',
  osContainers: 'src/cli/os-containers/definition.ts',
  bash: 'src/cli/completion/bash.ts',
  zsh: 'src/cli/completion/zsh.ts',
  fish: 'src/cli/completion/fish.ts',
  manual: 'src/cli/manual.ts',
});
rmSync(share, { recursive: true, force: true });
const programs = [
  await tako.takoProgram(),
  await ostreeContainer.ostreeContainerProgram(),
  await osContainers.osContainersProgram(),
];
for (const program of programs) {
  complete(program);
  for (const [file, text] of manual.manualPages(program, version)) put(`man/man1/${file}`, text);
}
// The second name of a program.
complete(await osContainers.osContainersProgram(undefined, 'os-container'));
put('man/man1/os-container.1', '.so man1/os-containers.1\n');

function complete(program) {
  const name = program.name();
  put(`bash-completion/completions/${name}`, bash.bashCompletion(program));
  put(`zsh/site-functions/_${name}`, zsh.zshCompletion(program));
  put(`fish/vendor_completions.d/${name}.fish`, fish.fishCompletion(program));
}

function put(file, text) {
  const path = join(share, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The modules by the names of `input`; they share their modules, so that one commander made all commands. */
async function load(input) {
  const dir = join(root, 'build', 'generator');
  const bundle = await rolldown({ cwd: root, input, platform: 'node', external: [/^node:/, 'koffi'] });
  await bundle.write({ dir, cleanDir: true, entryFileNames: '[name].mjs', chunkFileNames: 'chunks/[name].mjs' });
  await bundle.close();
  const names = Object.keys(input);
  const modules = await Promise.all(names.map((name) => import(pathToFileURL(join(dir, `${name}.mjs`)).href)));
  return Object.fromEntries(names.map((name, i) => [name, modules[i]]));
}
