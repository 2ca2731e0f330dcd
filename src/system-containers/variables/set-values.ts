/** What the user gave with `--set`, kept apart from defaults: those of a new image shall count. */
import type { Info } from '../deployment/info.ts';
import type { Places } from '../places/places.ts';
import type { Values } from '../template/index.ts';
import { directoryValues, pidFileFor } from './built-in.ts';
import { isForced } from './settings.ts';

/** Values of earlier calls, and this call's, which win. Names that only we give values are left out. */
export function mergeSetValues(earlier: Values | undefined, now: Values): Values {
  return new Map([...(earlier ?? []), ...now].filter(([name]) => !isForced(name)));
}

/** Made anew for every deployment, or kept in another way: no info file tells who gave their value. */
const NEVER_TOLD: readonly string[] = ['ALL_PROCESS_CAPABILITIES', 'ATOMIC', 'RUNTIME', 'UUID'];

/**
 * What the user gave in earlier calls. Old info files do not record it: there a value counts as the user's when neither
 * the old image nor the host gives it.
 * @param oldDefaults `defaultValues` of the image of that deployment; undefined when it is gone: all are kept then
 */
export function userSetValues(
  previous: Pick<Info, 'values' | 'setValues'>,
  oldDefaults: Values | undefined,
  host: { readonly name: string; readonly places: Pick<Places, 'scope' | 'directories'> },
): Values {
  if (previous.setValues !== undefined) return previous.setValues;
  const given = [...previous.values].filter(([name, value]) => {
    if (isForced(name) || NEVER_TOLD.includes(name)) return false;
    const own = hostValues(name, previous.values, host);
    return !own.includes(value) && oldDefaults?.get(name) !== value;
  });
  return new Map(given);
}

/** What this host gives a name, now or in what earlier programs made of it. */
function hostValues(
  name: string,
  values: Values,
  { name: container, places }: Parameters<typeof userSetValues>[2],
): readonly string[] {
  const directories = directoryValues(places);
  if (name === 'PIDFILE') {
    const runs = [values.get('RUN_DIRECTORY'), places.directories.run];
    return runs.map((run) => pidFileFor(run ?? '', container));
  }
  const own = directories.get(name);
  if (own === undefined) return [];
  // The Go program wrote the users' CONF_DIRECTORY into RUN_DIRECTORY.
  return name === 'RUN_DIRECTORY' && places.scope === 'user' ? [own, places.directories.conf] : [own];
}
