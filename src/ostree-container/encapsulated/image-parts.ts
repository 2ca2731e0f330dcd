/** The layers of an image that is a commit and nothing else (spec ostree-container 2.4, 2.6). */
import { codeOf } from '../../base/error.ts';
import { plural } from '../../base/text.ts';
import type { ImageConfig, ImageManifest } from '../../oci/index.ts';
import { type ImageLayers, LABELS, type Layer, splitLayers } from '../labels/index.ts';
import { EncapsulatedError } from './error.ts';

export interface CommitLayers {
  /** With the commit and all of its metadata. */
  readonly base: Layer;
  readonly components: readonly Layer[];
  /** Of the label `ostree.commit`, which need not be there. */
  readonly commit: string | undefined;
}

/**
 * @param name for errors
 * @throws EncapsulatedError NOT_ENCAPSULATED, DERIVED_LAYERS; LabelError FINAL_DIFFID_UNKNOWN, FINAL_DIFFID_AMBIGUOUS;
 *   OciError MANIFEST_MALFORMED, LAYER_UNSUPPORTED
 */
export function commitLayers(manifest: ImageManifest, config: ImageConfig, name: string): CommitLayers {
  const { base, components, derived, commit } = split(manifest, config, name);
  if (base === undefined) throw notEncapsulated(name);
  if (derived.length > 0) {
    throw new EncapsulatedError('DERIVED_LAYERS', `${name}: image has ${plural(derived.length, 'non-ostree layer')}`, {
      hint: 'an image with layers on top of the commit is stored with "container image pull"',
      subject: name,
    });
  }
  return { base, components, commit };
}

/** An image of the seed layout names its commit, too, and none of its layers. */
function split(manifest: ImageManifest, config: ImageConfig, name: string): ImageLayers {
  try {
    return splitLayers(manifest, config);
  } catch (error) {
    throw codeOf(error) === 'FINAL_DIFFID_MISSING' ? notEncapsulated(name) : error;
  }
}

function notEncapsulated(name: string): EncapsulatedError {
  return new EncapsulatedError('NOT_ENCAPSULATED', `${name}: not an ostree encapsulated container`, {
    hint: `it has no label ${LABELS.finalDiffId}; any image can be stored with "container image pull"`,
    subject: name,
  });
}
