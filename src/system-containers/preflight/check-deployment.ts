/**
 * A deployment whose files are made, looked at before anything of it is put anywhere: what would act on the host unseen
 * is refused unless it was allowed, what cannot work is refused, and the rest is told.
 */
import { printable } from '../../base/text.ts';
import type { RuntimeConfig } from '../../runtime/index.ts';
import { assertDeployable } from '../../runtime/index.ts';
import { installNames, parseUnit, type UnitFile } from '../../systemd/index.ts';
import type { HostFile } from '../host-files/index.ts';
import type { ImageTree } from '../image-tree.ts';
import { type Places, seenFromHost } from '../places/places.ts';
import { checkBindSources } from './bind-sources.ts';
import { ownDirectories } from './directories.ts';
import { assertSpace } from './free-space.ts';
import { assertAllowed, type Deed } from './permissions.ts';
import { judgeTmpfiles } from './tmpfiles-deeds.ts';
import { checkUnit } from './unit-problems.ts';

export interface PreflightRequest {
  readonly tree: ImageTree;
  readonly config?: RuntimeConfig | undefined;
  /** External root file system; left out: `rootfs`. */
  readonly rootfs?: string | undefined;
  /** Text of the unit, and of the tmpfiles fragment. */
  readonly unit?: Uint8Array | undefined;
  readonly fragment?: Uint8Array | undefined;
  readonly places: Places;
  /** All template values: NAME and DESTDIR count here. */
  readonly values: ReadonlyMap<string, string>;
  /** Of `--set`, in all calls: directories that the user chose are as good as the usual ones. */
  readonly setValues?: ReadonlyMap<string, string> | undefined;
  /** `--allow-host` of this call and of earlier ones. */
  readonly permissions: readonly string[];
  /** What will be put on the host; none for users. */
  readonly hostFiles?: readonly HostFile[] | undefined;
  /** Bytes that the check-out takes in CHECKOUTS; 0 for hard links. */
  readonly checkoutBytes?: number | undefined;
}

export interface Preflight {
  /** What people should know; the work goes on. */
  readonly notes: readonly string[];
  /** Of `Alias=`, `Also=`, `RequiredBy=`, `UpheldBy=`: units beside its own that enabling it touches. */
  readonly extraUnitNames: readonly string[];
}

/**
 * @throws ContainerError NOT_ALLOWED_ON_HOST, BIND_SOURCE_UNREADABLE, BAD_UNIT; RuntimeError WRITABLE_ROOT,
 * BAD_CONTAINER_CONFIG; CodedError DISK_FULL
 */
export async function checkDeployment(request: PreflightRequest, signal: AbortSignal): Promise<Preflight> {
  const { tree, config, rootfs, unit, fragment, places, values, permissions, hostFiles = [] } = request;
  const name = values.get('NAME') ?? '';
  if (config !== undefined) assertDeployable(config, rootfs);
  const directories = ownDirectories(places, request.setValues);
  const tmpfiles = judgeTmpfiles(fragment, { places, directories, name });
  assertAllowed(tree.name, [...hookDeeds(config), ...tmpfiles.deeds, ...setuidDeeds(hostFiles)], permissions);

  const parsed = unit && parseUnit(unit);
  const deployment = values.get('DESTDIR') ?? seenFromHost(places, places.checkouts);
  const arriving = hostFiles.map(({ path }) => path);
  const sources = config?.bindSources ?? [];
  const made = [...arriving, ...tmpfiles.made];
  const missing = checkBindSources({ sources, tree, places, deployment, rootfs, made, unit: parsed });
  assertSpace([
    { path: places.checkouts, bytes: request.checkoutBytes ?? 0 },
    ...hostFiles.map(({ path, size }) => ({ path: places.root + path, bytes: size })),
  ]);
  const ofUnit =
    unit === undefined ? [] : await checkUnit(unit, { name, places, arriving: [...arriving, deployment] }, signal);
  return { notes: [...tmpfiles.notes, ...missing, ...ofUnit], extraUnitNames: extraUnitNames(parsed, name) };
}

function hookDeeds(config: RuntimeConfig | undefined): Deed[] {
  const { hooks = [], hostAnnotations = [] } = config ?? {};
  const found = [
    ...(hooks.length > 0 ? [`hooks in config.json (${hooks.join(', ')}) run programs on the host`] : []),
    ...(hostAnnotations.length > 0
      ? [`annotations in config.json (${hostAnnotations.join(', ')}) act on the host`]
      : []),
  ];
  return found.map((text) => ({ needs: 'hooks', text: printable(text) }));
}

function setuidDeeds(hostFiles: readonly HostFile[]): Deed[] {
  return hostFiles.flatMap(({ path, kind, mode, hasCapabilities }): Deed[] => {
    const isSetuid = kind === 'file' && (mode & 0o6000) !== 0;
    if (!isSetuid && !hasCapabilities) return [];
    return [
      {
        needs: 'setuid',
        text: `host file ${printable(path)} ${isSetuid ? 'is setuid or setgid' : 'has capabilities'}`,
      },
    ];
  });
}

function extraUnitNames(unit: UnitFile | undefined, name: string): readonly string[] {
  if (unit === undefined) return [];
  const { alias, also, requiredBy, upheldBy } = installNames(unit);
  const own = [`${name}.service`, name];
  return [...new Set([...alias, ...also, ...requiredBy, ...upheldBy])].filter((each) => !own.includes(each));
}
