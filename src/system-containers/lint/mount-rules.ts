/** Rules on mounts: how they are written, and whether their sources will be there. */
import { CONTRACT } from '../contract/index.ts';
import { type Finding, finding, type Severity } from './finding.ts';
import { variableFor } from './hard-coded.ts';
import { lineFinder, SAMPLE, type Subject } from './subject.ts';

const BINDS = ['bind', 'rbind'];

export function lintMounts(subject: Subject): readonly Finding[] {
  const { exports, config } = subject;
  if (config === undefined || exports.manifest.noContainerService) return [];
  const file = exports.config?.kind === 'verbatim' ? CONTRACT.config : CONTRACT.configTemplate;
  const found: Finding[] = [];
  const lineOf = lineFinder(exports.config?.bytes);
  const isMissing = missingIn(subject);
  const say = (severity: Severity, rule: string, destination: string, text: string): void => {
    const line = lineOf(JSON.stringify(destination));
    found.push(finding(severity, rule, `mount of ${destination}: ${text}`, { file, line }));
  };
  for (const { destination, type, options } of config.mounts) {
    if (type === 'rbind') say('warning', 'mount-type', destination, 'the type is "bind", and "rbind" is an option');
    else if (type === 'bind' && !options.some((option) => BINDS.includes(option))) {
      say('warning', 'mount-option', destination, 'a type "bind" without the option "bind" or "rbind" mounts nothing');
    }
    if (!destination.startsWith('/')) say('warning', 'mount-destination', destination, 'expected an absolute path');
  }
  for (const { path, destination } of config.bindSources) {
    const variable = variableFor(path);
    if (variable !== undefined) say('warning', 'hard-coded-path', destination, `write $${variable} instead of ${path}`);
    else if (isMissing(path)) say('warning', 'mount-source', destination, `nothing creates ${shown(path)}`);
  }
  return found;
}

/** Of what belongs to the container alone: everything else may be on the host. An image without a fragment gets one. */
function missingIn({ tmpfiles, hostFiles }: Subject): (path: string) => boolean {
  if (tmpfiles === undefined) return () => false;
  const made = [...tmpfiles, ...hostFiles].map(({ path }) => `${forRoot(path)}/`).sort();
  return (path) => {
    const isOwn = Object.values(SAMPLE).some((directory) => path.startsWith(`${directory}/`));
    const source = `${forRoot(path)}/`;
    return isOwn && made[firstFrom(made, source)]?.startsWith(source) !== true;
  };
}

/** Where in a sorted list this text would be: what begins with it comes next. */
function firstFrom(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Host files are root's, and lie in `/etc` with or without a variable. */
function forRoot(path: string): string {
  const [from, to] = ROOTS.find(([directory]) => path.startsWith(`${directory}/`)) ?? ['', ''];
  return to + path.slice(from.length);
}

const ROOTS: readonly (readonly [string, string])[] = [
  [SAMPLE.run, '/run'],
  [SAMPLE.state, '/var/lib'],
  [SAMPLE.conf, '/etc'],
];

/** With variables again, as the author wrote it. */
function shown(path: string): string {
  return path.replace(/^\/([A-Z]+_DIRECTORY)/, '$$$1').replace(/\/NAME(?=\/|$)/g, '/$NAME');
}
