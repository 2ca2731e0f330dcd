/** `npm run bench [-- SUITE...]`: ours beside the established tools, in one run, as ratios. */
import { release } from 'node:os';
import { benchContainer } from './container.ts';
import { benchImages } from './images.ts';
import { benchOstree } from './ostree.ts';
import { benchSystemContainers } from './system-containers.ts';
import { benchTako } from './tako.ts';

const SUITES: Readonly<Record<string, () => Promise<void>>> = {
  tako: benchTako,
  ostree: benchOstree,
  images: benchImages,
  container: benchContainer,
  'system-containers': benchSystemContainers,
};

const words = process.argv.slice(2).filter((word) => word !== '--');
const unknown = words.find((word) => !Object.hasOwn(SUITES, word));
if (unknown !== undefined) {
  console.error(`bench: no suite "${unknown}"; there is: ${Object.keys(SUITES).join(', ')}`);
  process.exit(2);
}
console.log(`Node ${process.version}, Linux ${release()}; medians, ours / theirs`);
for (const [name, suite] of Object.entries(SUITES)) {
  if (words.length > 0 && !words.includes(name)) continue;
  console.log(`\n${name}`);
  await suite();
}
