/** Where an image says which layer is the last of its commit, when that layer became another one. */
import type { Digest, ImageConfig } from '../../../oci/index.ts';
import { LABELS } from '../../labels/index.ts';
import type { NewImageConfig } from '../../new-image/index.ts';

/** @param last undefined where there is no commit: nothing changes */
export function withFinalDiffId(config: ImageConfig, last: Digest | undefined): NewImageConfig {
  const { architecture, os, variant, author, config: run } = config;
  const kept = {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    ...(author !== undefined && { author }),
  };
  if (last === undefined) return { ...kept, ...(run !== undefined && { config: run }) };
  return { ...kept, config: { ...run, Labels: { ...run?.Labels, [LABELS.finalDiffId]: last } } };
}

/** Annotations carry the labels of the commit once more, where anybody has written them. */
export function annotationsWith(
  annotations: Readonly<Record<string, string>>,
  last: Digest | undefined,
): Record<string, string> {
  const isThere = Object.hasOwn(annotations, LABELS.finalDiffId);
  return { ...annotations, ...(isThere && last !== undefined && { [LABELS.finalDiffId]: last }) };
}
