/** Values that the host gives when nobody says something else. */
import type { Places } from '../places/places.ts';
import type { Values } from '../template/index.ts';

export function directoryValues({ directories }: Pick<Places, 'directories'>): Values {
  return new Map([
    ['RUN_DIRECTORY', directories.run],
    ['STATE_DIRECTORY', directories.state],
    ['CONF_DIRECTORY', directories.conf],
  ]);
}

const SYSTEM = { run: '/run', state: '/var/lib', conf: '/etc' };

/** As far as they are known before an installation: what an image says, and directories as most hosts have them. */
export function likelyValues(defaults: Values): Values {
  return new Map([...directoryValues({ directories: SYSTEM }), ...defaults]);
}

export function pidFileFor(runDirectory: string, name: string): string {
  return `${runDirectory}/container-${name}.pid`;
}

/** Names that have a value in every deployment, unless something else is said. */
export const BUILT_IN: readonly string[] = [
  'ALL_PROCESS_CAPABILITIES',
  'ATOMIC',
  'CONF_DIRECTORY',
  'PIDFILE',
  'RUNTIME',
  'RUN_DIRECTORY',
  'STATE_DIRECTORY',
  'UUID',
];
