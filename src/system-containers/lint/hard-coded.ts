/** Paths that stand in a template where a variable should. */

/** What the directory variables are for root. */
const INSTEAD: readonly (readonly [path: string, variable: string])[] = [
  ['/var/lib', 'STATE_DIRECTORY'],
  ['/var/run', 'RUN_DIRECTORY'],
  ['/run', 'RUN_DIRECTORY'],
];

/** Of the host itself, wherever services keep theirs. */
const OF_THE_HOST = ['/run/dbus', '/run/log', '/run/systemd', '/run/udev', '/var/lib/containers', '/var/lib/dbus'];

/** The variable to write instead of the beginning of this path, as sample values left it. */
export function variableFor(path: string): string | undefined {
  const isIn = (directory: string): boolean => path === directory || path.startsWith(`${directory}/`);
  if (OF_THE_HOST.some(isIn)) return undefined;
  return INSTEAD.find(([directory]) => isIn(directory))?.[1];
}
