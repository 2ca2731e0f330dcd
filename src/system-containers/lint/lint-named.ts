/** The linter on what a user names: a root file system in a directory, or an image of the store. */
import { statSync } from 'node:fs';
import type { Repository } from '../../ostree/index.ts';
import { directoryTree } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { findImage, imageTree, mergedCommit, readStoredConfig } from '../storage/index.ts';
import type { Finding } from './finding.ts';
import { lintImage } from './lint-image.ts';

export interface LintReport {
  /** Path of the directory, or name of the image. */
  readonly subject: string;
  readonly findings: readonly Finding[];
}

/**
 * @param text a directory when there is one of this path, else an image
 * @throws ContainerError IMAGE_NOT_STORED, BAD_STORED_IMAGE
 */
export async function lintNamed(
  host: Pick<Host, 'signal' | 'lockTimeoutMs'>,
  text: string,
  openRepository: () => Repository,
): Promise<LintReport> {
  if (statSync(text, { throwIfNoEntry: false })?.isDirectory()) {
    return { subject: text, findings: lintImage(directoryTree(text, text)) };
  }
  const repository = openRepository();
  const image = findImage(repository, text);
  if (image === undefined) {
    throw new ContainerError(
      'IMAGE_NOT_STORED',
      `${text}: no such directory, and no such image in ${repository.path}`,
      {
        subject: text,
        hint: `pull it first: os-containers pull ${text}`,
      },
    );
  }
  const commit = await mergedCommit(repository, image, { signal: host.signal, timeoutMs: host.lockTimeoutMs });
  const tree = imageTree(repository, commit, image.name);
  return { subject: image.name, findings: lintImage(tree, readStoredConfig(repository, image)) };
}
