/**
 * What a deployment will consist of, from the image and the values: configuration, unit, tmpfiles fragment and `info`.
 * Nothing is read but the image, nothing is written: plans and comparisons come from here, too.
 */
import { join } from 'node:path';
import { printable } from '../../base/text.ts';
import type { RuntimeConfig, RuntimeFeatures } from '../../runtime/index.ts';
import { type Exports, readExports } from '../contract/index.ts';
import type { Host } from '../host.ts';
import { type HostFile, hostFilesOf, hostTemplatesOf } from '../host-files/index.ts';
import type { ImageTree } from '../image-tree.ts';
import { slotName } from '../names/index.ts';
import { assertPlainPath, seenFromHost } from '../places/index.ts';
import { defaultTmpfiles } from '../preflight/index.ts';
import {
  assertNoInjectedLines,
  missingIn,
  type NamedTemplate,
  parseTemplate,
  substitute,
  type Values,
} from '../template/index.ts';
import { defaultUnit, isDetached, mergeSetValues, userSetValues, valuesFor } from '../variables/index.ts';
import { configTemplate, renderConfig } from './config.ts';
import type { Info } from './info.ts';
import { NEW_INFO } from './info-file.ts';
import { type DeploymentRequest, type DeploymentSource, isStored } from './request.ts';

export interface Rendered {
  /** Without what the host files of this deployment will be. */
  readonly info: Info;
  /** `config.json`; undefined for containers that use no runtime. */
  readonly config: RuntimeConfig | undefined;
  readonly unit: Uint8Array | undefined;
  /** For systemd-tmpfiles. */
  readonly fragment: Uint8Array | undefined;
  readonly values: Values;
  readonly exports: Exports;
  /** What the image puts on the host, by path; none for users. */
  readonly hostFiles: readonly HostFile[];
  /** For people. */
  readonly warnings: readonly string[];
}

/**
 * @param tree of the image
 * @throws ContainerError BAD_IMAGE_MANIFEST, BAD_TEMPLATE, MISSING_VARIABLES, BAD_VALUE, BAD_CONTAINER_PATH,
 * HOST_PATH_REFUSED; RuntimeError WRITABLE_ROOT, BAD_CONTAINER_CONFIG, RUNTIME_FAILED
 */
export async function render(
  host: Host,
  tree: ImageTree,
  request: DeploymentRequest & DeploymentSource,
): Promise<Rendered> {
  const { places } = host;
  const exports = readExports(tree);
  if (request.runtimePath !== '') assertPlainPath(request.runtimePath, 'the runtime');
  const features = await featuresFor(host, exports, request);
  const earlier = request.previous && userSetValues(request.previous, request.previousDefaults, { ...request, places });
  const setValues = mergeSetValues(earlier, request.setValues);
  const values = valuesIn(host, request, { exports, features, setValues });

  const unit = unitTemplate(exports, features, places.scope);
  const fragment = exports.manifest.noContainerService ? undefined : named(exports.tmpfiles, 'tmpfiles.template');
  const lines = [unit, fragment].filter((each) => each !== undefined);
  const hostTemplates = places.scope === 'system' ? hostTemplatesOf(tree, exports.manifest, values) : [];
  const config = configTemplate(exports);
  missingIn([...(config === undefined ? [] : [config]), ...lines, ...hostTemplates], values);
  assertNoInjectedLines(lines, values, setValues);

  const made = await renderConfig(host, tree, { request, exports, values });
  // Users get none of them: what they would be called does not matter.
  const rules = places.scope === 'system' ? exports.manifest : { ...exports.manifest, renameFiles: NO_RENAMES };
  const hostFiles = hostFilesOf(tree, rules, values);
  const installed = places.scope === 'system' ? hostFiles : [];
  return {
    info: newInfo(host, request, { exports, values, setValues }),
    config: made.config,
    unit: unit && substitute(unit.template, values),
    fragment:
      fragment === undefined
        ? ownFragment(host, exports, { tree, config: made.config, values, setValues, hostFiles: installed })
        : substitute(fragment.template, values),
    values,
    exports,
    hostFiles: installed,
    warnings: [...warningsFor(tree, exports), ...skippedFiles(host, hostFiles), ...made.warnings],
  };
}

const NO_RENAMES: Values = new Map();

/** A runtime that is not used need not be there. */
async function featuresFor(
  host: Host,
  { manifest }: Exports,
  { runtimePath }: DeploymentRequest,
): Promise<RuntimeFeatures> {
  if (manifest.noContainerService || runtimePath === '') return { systemdCgroup: false, pidFile: false };
  return host.runtime(runtimePath).features(host.signal);
}

interface Made {
  readonly exports: Exports;
  readonly values: Values;
  readonly setValues: Values;
}

function valuesIn(
  { places }: Host,
  request: DeploymentRequest,
  { exports, features, setValues }: Omit<Made, 'values'> & { readonly features: RuntimeFeatures },
): Values {
  const { name, slot, image, imageName, runtimePath, previous } = request;
  return valuesFor({
    places,
    name,
    deploymentPath: seenFromHost(places, join(places.checkouts, slotName(name, slot))),
    image: imageName,
    imageId: isStored(image) ? image.digest : '',
    runtimePath,
    runtimeFeatures: features,
    unitTemplate: exports.unit,
    defaults: exports.manifest.defaultValues,
    setValues,
    previous: previous && { values: previous.values, setValues: undefined },
  });
}

function unitTemplate(
  { manifest, unit }: Exports,
  features: RuntimeFeatures,
  scope: 'system' | 'user',
): NamedTemplate | undefined {
  if (manifest.noContainerService) return undefined;
  return named(unit ?? defaultUnit({ scope, isDetached: isDetached(undefined, features) }), 'service.template');
}

function named(bytes: Uint8Array | undefined, file: string): NamedTemplate | undefined {
  return bytes && { file, template: parseTemplate(bytes, file) };
}

/** For an image that brings none: the directories that its mounts need. */
function ownFragment(
  { places }: Host,
  { manifest }: Exports,
  made: {
    readonly tree: ImageTree;
    readonly config: RuntimeConfig | undefined;
    readonly values: Values;
    readonly setValues: Values;
    readonly hostFiles: readonly HostFile[];
  },
): Uint8Array | undefined {
  const { config, hostFiles, ...facts } = made;
  if (manifest.noContainerService || config === undefined) return undefined;
  return defaultTmpfiles({ ...facts, config, places, provided: hostFiles.map(({ path }) => path) });
}

function newInfo(host: Host, request: DeploymentRequest, { exports, values, setValues }: Made): Info {
  const { image, imageName, runtimePath, permissions, tagVersion } = request;
  const origin = isStored(image)
    ? {
        revision: image.digest.slice(image.digest.indexOf(':') + 1),
        imageCommit: image.commit,
        verification: image.verification,
      }
    : { rootfs: image.rootfs };
  return {
    ...NEW_INFO,
    ...origin,
    image: imageName,
    created: Math.floor(host.now() / 1000),
    runtime: runtimePath,
    hasService: !exports.manifest.noContainerService,
    values,
    setValues,
    permissions,
    tagVersion,
  };
}

function warningsFor(tree: ImageTree, { hasExports }: Exports): string[] {
  if (hasExports) return [];
  return [
    `${printable(tree.name)} has no /exports: its unit and config.json are defaults, which probably need editing`,
  ];
}

/** An image may have any number of them. */
const SHOWN = 20;

/** Such files are root's business. */
function skippedFiles({ places }: Host, hostFiles: readonly HostFile[]): string[] {
  const skipped = hostFiles.filter(({ kind }) => kind !== 'directory').map(({ path }) => printable(path));
  if (places.scope === 'system' || skipped.length === 0) return [];
  const more = skipped.length > SHOWN ? ` and ${skipped.length - SHOWN} more` : '';
  return [`host files are not installed for users: ${skipped.slice(0, SHOWN).join(', ')}${more}`];
}
