/** Which values an image asks for: what people want to know before they install it. */
import { type Exports, readExports } from '../contract/index.ts';
import { hostTemplatesOf } from '../host-files/index.ts';
import type { ImageTree } from '../image-tree.ts';
import { parseTemplate, type Values, variablesIn } from '../template/index.ts';
import { BUILT_IN, likelyValues } from './built-in.ts';
import { isForced } from './settings.ts';

export interface AskedVariables {
  /** Those with a default of the image, sorted by name. */
  readonly defaults: Values;
  /** Those that have to be given with `--set`, sorted. */
  readonly required: readonly string[];
}

/** @throws ContainerError BAD_IMAGE_MANIFEST, BAD_STORED_IMAGE, BAD_TEMPLATE; CodedError TOO_LARGE */
export function askedVariables(tree: ImageTree): AskedVariables {
  const exports = readExports(tree);
  const { defaultValues } = exports.manifest;
  const hasValue = (name: string): boolean => defaultValues.has(name) || isForced(name) || BUILT_IN.includes(name);
  const ofHost = hostTemplatesOf(tree, exports.manifest, likelyValues(defaultValues));
  const used = [...ownTemplates(exports), ...ofHost].flatMap(({ template }) => [...variablesIn(template)]);
  return {
    defaults: new Map([...defaultValues].filter(([name]) => !isForced(name)).sort(([a], [b]) => (a < b ? -1 : 1))),
    required: [...new Set(used)].filter((name) => !hasValue(name)).sort(),
  };
}

function ownTemplates({ manifest, config, unit, tmpfiles }: Exports) {
  if (manifest.noContainerService) return [];
  const texts = [
    ['config.json.template', config?.kind === 'template' ? config.bytes : undefined],
    ['service.template', unit],
    ['tmpfiles.template', tmpfiles],
  ] as const;
  return texts.flatMap(([file, bytes]) => (bytes === undefined ? [] : [{ template: parseTemplate(bytes, file) }]));
}
