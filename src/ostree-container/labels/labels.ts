/** The labels by which an image speaks of its commit (spec ostree-container 2.4). */
import { quote } from '../../base/text.ts';
import type { Checksum } from '../../ostree/index.ts';
import { LabelError } from './error.ts';

export const LABELS = {
  commit: 'ostree.commit',
  /** Diff id of the last layer that belongs to the commit. */
  finalDiffId: 'ostree.final-diffid',
  bootable: 'ostree.bootable',
  linux: 'ostree.linux',
  bootc: 'containers.bootc',
  version: 'org.opencontainers.image.version',
} as const;

/** @param label undefined: the image says nothing, and that is allowed @throws LabelError COMMIT_LABEL_MISMATCH */
export function assertCommitLabel(label: string | undefined, found: Checksum): void {
  if (label !== undefined && label !== found) throw labelMismatch(label, found);
}

export function labelMismatch(label: string, found: Checksum): LabelError {
  const text = `label ${LABELS.commit}: says ${quote(label, 80)}, but the image brings commit ${found}`;
  return new LabelError('COMMIT_LABEL_MISMATCH', text, { subject: found });
}
