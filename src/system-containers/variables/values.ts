/**
 * All template values of a deployment. For one name the first of these counts: what describes the installation itself;
 * `--set`, in this call and in earlier ones; for users the directories that are theirs (an image's `/etc` is of no use
 * to them); defaults of the image; built-in values.
 */
import { randomUUID } from 'node:crypto';
import type { RuntimeFeatures } from '../../runtime/index.ts';
import type { Info } from '../deployment/info.ts';
import type { Places } from '../places/places.ts';
import type { Values } from '../template/index.ts';
import { directoryValues, pidFileFor } from './built-in.ts';
import { allCapabilities } from './capabilities.ts';
import { execLines, isDetached } from './exec-lines.ts';
import { mergeSetValues } from './set-values.ts';

export interface ValuesRequest {
  readonly places: Pick<Places, 'scope' | 'uid' | 'gid' | 'directories'>;
  /** Of the container. */
  readonly name: string;
  /** Of this deployment, as the host sees it: `CHECKOUTS/NAME.N`. */
  readonly deploymentPath: string;
  /** As the user wrote it. */
  readonly image: string;
  /** Digest of the image; hex, with or without its algorithm in front. */
  readonly imageId: string;
  readonly runtimePath: string;
  readonly runtimeFeatures: RuntimeFeatures;
  /** `service.template` of the image; undefined: it has none, and `defaultUnit` is used. */
  readonly unitTemplate: Uint8Array | undefined;
  /** `defaultValues` of the image. */
  readonly defaults: Values;
  /** What the user set; what `previous` records as set in earlier calls is added here. */
  readonly setValues: Values;
  /** The deployment that this one follows: its UUID is kept. */
  readonly previous?: Pick<Info, 'values' | 'setValues'> | undefined;
  /** Absolute path of this program. */
  readonly program?: string | undefined;
  /** Number of the kernel's last capability; default: what the running kernel says. */
  readonly lastCapability?: number | undefined;
}

/** @throws ContainerError BAD_TEMPLATE when the template of the unit is none */
export function valuesFor(request: ValuesRequest): Values {
  const { places, name, runtimePath, defaults, previous } = request;
  const directories = directoryValues(places);
  const set = mergeSetValues(previous?.setValues, request.setValues);
  const values = new Map([
    ...directories,
    ['UUID', previous?.values.get('UUID') ?? randomUUID()],
    ['RUNTIME', runtimePath],
    ['ALL_PROCESS_CAPABILITIES', allCapabilities(request.lastCapability)],
    ['ATOMIC', request.program ?? process.argv[1] ?? 'os-containers'],
    ...defaults,
    ...(places.scope === 'user' ? directories : []),
    ...set,
  ]);
  // It follows RUN_DIRECTORY, whoever gave that its value.
  if (!values.has('PIDFILE')) values.set('PIDFILE', pidFileFor(values.get('RUN_DIRECTORY') ?? '', name));
  for (const [forced, value] of forcedValues(request, values.get('PIDFILE') ?? '')) values.set(forced, value);
  return values;
}

function forcedValues(request: ValuesRequest, pidFile: string): Values {
  const { places, name, runtimePath, runtimeFeatures: features, unitTemplate } = request;
  const lines = execLines({
    name,
    runtimePath,
    features,
    scope: places.scope,
    isDetached: isDetached(unitTemplate, features),
    pidFile,
  });
  return new Map([
    ['NAME', name],
    ['DESTDIR', request.deploymentPath],
    ['HOST_UID', String(places.uid)],
    ['HOST_GID', String(places.gid)],
    ['IMAGE_NAME', request.image],
    ['IMAGE_ID', request.imageId.replace(/^[^:]*:/, '')],
    ...Object.entries(lines),
  ]);
}
