/** An image as the linter looks at it: its exports, its templates, and what they become with values for a sample. */

import type { ImageConfig } from '../../oci/index.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../runtime/index.ts';
import { parseTmpfiles, parseUnit, type TmpfilesLine, type UnitFile } from '../../systemd/index.ts';
import { CONTRACT, type Exports, readExports } from '../contract/index.ts';
import { type HostFile, hostFilesOf, hostTemplatesOf } from '../host-files/index.ts';
import type { ImageTree } from '../image-tree.ts';
import {
  type NamedTemplate,
  parseTemplate,
  substitute,
  substituteConfig,
  type Template,
  type Values,
  variablesIn,
} from '../template/index.ts';
import { likelyValues, valuesFor } from '../variables/index.ts';
import { type Finding, refusal } from './finding.ts';

export interface Subject {
  readonly tree: ImageTree;
  readonly exports: Exports;
  /** Of the OCI image, where it is known. */
  readonly imageConfig: ImageConfig | undefined;
  /** All templates that could be read. */
  readonly templates: readonly NamedTemplate[];
  /** Values that a deployment without `--set` has. */
  readonly values: Values;
  readonly config: RuntimeConfig | undefined;
  readonly unitTemplate: Template | undefined;
  readonly unit: UnitFile | undefined;
  readonly tmpfiles: readonly TmpfilesLine[] | undefined;
  readonly hostFiles: readonly HostFile[];
  /** What could not be read, and why. */
  readonly refusals: readonly Finding[];
}

/**
 * Directories as no host has them: a path that begins in another way is written out in the image.
 */
export const SAMPLE = { run: '/RUN_DIRECTORY', state: '/STATE_DIRECTORY', conf: '/CONF_DIRECTORY' } as const;

/** What a variable without a default gets: right in a text as well as where a number has to be. */
const PLACEHOLDER = '0';

/** @throws ContainerError BAD_IMAGE_MANIFEST, BAD_STORED_IMAGE; CodedError TOO_LARGE */
export function readSubject(tree: ImageTree, imageConfig: ImageConfig | undefined): Subject {
  const exports = readExports(tree);
  const refusals: Finding[] = [];
  const attempt: Attempt = (rule, file, work) => {
    try {
      return work();
    } catch (error) {
      refusals.push(refusal(rule, file, error));
      return undefined;
    }
  };
  const own = ownTemplates(exports, attempt);
  const likely = likelyValues(exports.manifest.defaultValues);
  const ofHost =
    attempt('template-syntax', CONTRACT.hostFiles, () => hostTemplatesOf(tree, exports.manifest, likely)) ?? [];
  const templates = [...Object.values(own).flatMap(named), ...ofHost];
  const values = sampleValues(exports, own.unit === undefined ? undefined : exports.unit);
  const complete = withPlaceholders(templates, values, PLACEHOLDER);
  const hostFiles = attempt('host-files', CONTRACT.manifest, () => hostFilesOf(tree, exports.manifest, complete));
  return {
    tree,
    exports,
    imageConfig,
    templates,
    values,
    config: readConfig(exports, own.config, values, attempt),
    unitTemplate: own.unit,
    unit: own.unit && parseUnit(substitute(own.unit, complete)),
    tmpfiles: own.tmpfiles && parseTmpfiles(substitute(own.tmpfiles, complete)),
    hostFiles: hostFiles ?? [],
    refusals,
  };
}

/** The work's result; undefined when it is refused, which is noted. */
type Attempt = <T>(rule: string, file: string, work: () => T) => T | undefined;

function ownTemplates({ config, unit, tmpfiles }: Exports, attempt: Attempt) {
  const read = (file: string, bytes: Uint8Array | undefined): Template | undefined =>
    bytes && attempt('template-syntax', file, () => parseTemplate(bytes, file));
  return {
    config: read(CONTRACT.configTemplate, config?.kind === 'template' ? config.bytes : undefined),
    unit: read(CONTRACT.unit, unit),
    tmpfiles: read(CONTRACT.tmpfiles, tmpfiles),
  };
}

function named(template: Template | undefined): readonly NamedTemplate[] {
  return template === undefined ? [] : [{ file: template.file, template }];
}

function readConfig(
  { config }: Exports,
  template: Template | undefined,
  values: Values,
  attempt: Attempt,
): RuntimeConfig | undefined {
  if (config?.kind === 'verbatim') {
    return attempt('config', CONTRACT.config, () => parseRuntimeConfig(config.bytes, CONTRACT.config));
  }
  return template && attempt('config', CONTRACT.configTemplate, () => sampleConfig(template, values));
}

function sampleValues({ manifest }: Exports, unitTemplate: Uint8Array | undefined): Values {
  return valuesFor({
    places: { scope: 'system', uid: 0, gid: 0, directories: SAMPLE },
    name: 'NAME',
    deploymentPath: '/DESTDIR',
    image: 'IMAGE_NAME',
    imageId: '0'.repeat(64),
    runtimePath: '/RUNTIME',
    runtimeFeatures: { systemdCgroup: true, pidFile: true },
    unitTemplate,
    defaults: new Map([...manifest.defaultValues].filter(([name]) => !name.endsWith('_DIRECTORY'))),
    setValues: new Map(),
    program: '/ATOMIC',
  });
}

/** A variable without a default may also stand for nothing, as ADDTL_MOUNTS does, or for a value of any kind. */
function sampleConfig(template: Template, values: Values): RuntimeConfig {
  const filled = (placeholder: string) => withPlaceholders(named(template), values, placeholder);
  try {
    return substituteConfig(template, filled(PLACEHOLDER));
  } catch (error) {
    if ([...variablesIn(template)].every((name) => values.has(name))) throw error;
    return substituteConfig(template, filled(''));
  }
}

function withPlaceholders(templates: readonly NamedTemplate[], values: Values, placeholder: string): Values {
  const names = templates.flatMap(({ template }) => [...variablesIn(template)]);
  return new Map([...names.map((name) => [name, placeholder] as const), ...values]);
}

/** Each search goes through the file, and a file may have a hundred thousand things to say something about. */
const SEARCHES = 100;

/** Finds the line of a file in which a text stands first; gives up after so many texts. */
export function lineFinder(bytes: Uint8Array = new Uint8Array()): (text: string) => number | undefined {
  const source = Buffer.from(bytes);
  let left = SEARCHES;
  return (text) => {
    const at = left-- > 0 ? source.indexOf(text) : -1;
    return at === -1 ? undefined : source.toString('latin1', 0, at).split('\n').length;
  };
}
