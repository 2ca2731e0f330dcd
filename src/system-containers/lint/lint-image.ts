/** All rules on one image; nothing of it is run, and nothing on the host is looked at. */
import type { ImageConfig } from '../../oci/index.ts';
import { CONTRACT } from '../contract/index.ts';
import type { ImageTree } from '../image-tree.ts';
import { lintConfig } from './config-rules.ts';
import { compareFindings, type Finding, refusal } from './finding.ts';
import { lintHostFiles } from './host-file-rules.ts';
import { lintConventions } from './image-rules.ts';
import { lintMounts } from './mount-rules.ts';
import { readSubject, type Subject } from './subject.ts';
import { lintTemplates } from './template-rules.ts';
import { lintTmpfiles } from './tmpfiles-rules.ts';
import { lintUnit } from './unit-rules.ts';

const RULES: readonly ((subject: Subject) => readonly Finding[])[] = [
  lintConventions,
  lintTemplates,
  lintConfig,
  lintMounts,
  lintUnit,
  lintTmpfiles,
  lintHostFiles,
];

/**
 * The worst findings first.
 * @param imageConfig configuration of the OCI image, where there is one
 */
export function lintImage(tree: ImageTree, imageConfig?: ImageConfig): readonly Finding[] {
  let subject: Subject;
  try {
    subject = readSubject(tree, imageConfig);
  } catch (error) {
    return [refusal('contract', CONTRACT.exports, error)];
  }
  return [...subject.refusals, ...RULES.flatMap((rule) => rule(subject))].sort(compareFindings);
}
