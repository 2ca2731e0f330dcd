// The licences of the packages whose code is in a bundle ask to come along.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The package that a module belongs to, or nothing. */
export function packageOf(id) {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
}

/** @param roots folders of packages */
export function licenseTexts(roots) {
  return [...new Set(roots)]
    .sort()
    .map(licenseOf)
    .join(`\n${'-'.repeat(72)}\n\n`);
}

function licenseOf(root) {
  const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const file = readdirSync(root).find((entry) => /^licen[cs]e/i.test(entry));
  // Packages that bring no text of their own have one here.
  const path = file === undefined ? join(import.meta.dirname, 'licenses', `${about.name}.txt`) : join(root, file);
  if (!existsSync(path)) throw new Error(`${about.name}: no licence text in ${dirname(root)}`);
  return `${about.name} ${about.version} (${about.license})\n\n${readFileSync(path, 'utf8').trim()}\n`;
}
