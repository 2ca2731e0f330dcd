/** One file, link or directory, brought to its place on the host as a whole. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { renameExclusive } from '../../linux/files/exclusive-rename.ts';
import { ContainerError } from '../error.ts';
import type { ImageTree } from '../image-tree.ts';
import { fillFile } from './content.ts';
import { ownerOf } from './decision.ts';
import { identityOf, sha256OfFile, temporaryName } from './on-disk.ts';
import { type HostRoot, openParents } from './open-parents.ts';
import type { CopyStep, PutStep } from './plan-types.ts';

type Make = Extract<CopyStep, { action: 'make-directory' }>;
/** `exists`: something else has come there since the plan; `modified`: it has changed since. Both are left alone. */
export type Outcome = 'put' | 'exists' | 'modified';

const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;

/** @throws ContainerError HOST_PATH_REFUSED, BAD_STORED_IMAGE when the tree has changed since the plan; CodedError DISK_FULL */
export async function putFile(root: HostRoot, tree: ImageTree | undefined, step: PutStep): Promise<Outcome> {
  const { directory, name } = openDirectoryOf(root, step.path);
  const temporary = temporaryName(step.path);
  try {
    directory.unlink(temporary);
    if (step.file.kind === 'symlink') stageLink(directory, temporary, step);
    else await stageFile(directory, temporary, tree, step);
    const outcome = publish(directory, temporary, name, step);
    if (outcome !== 'put') directory.unlink(temporary);
    return outcome;
  } catch (error) {
    discard(directory, temporary);
    throw error;
  } finally {
    directory.close();
  }
}

/** Under its final name it has its mode and owner from the first moment. False when there is one already. */
export function makeDirectory(root: HostRoot, { path, mode, uid, gid }: Make): boolean {
  const { directory, name } = openDirectoryOf(root, path);
  const temporary = temporaryName(path);
  try {
    if (directory.lstat(temporary) !== undefined) directory.removeDirectory(temporary);
    const made = directory.makeDirectory(temporary, 0o700);
    try {
      giveTo(made.path, made.fd, { uid, gid }, mode);
      made.sync();
    } finally {
      made.close();
    }
    const isPut = renameDirectory(directory, temporary, name);
    directory.sync();
    return isPut;
  } finally {
    if (directory.lstat(temporary) !== undefined) directory.removeDirectory(temporary);
    directory.close();
  }
}

/** A rename that replaces takes only the place of an empty directory, which is what it would have been. */
function renameDirectory(directory: Directory, from: string, to: string): boolean {
  try {
    return renameExclusive({ directory, name: from }, { directory, name: to });
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error; // without renameat2
    if (directory.lstat(to) !== undefined) return false;
    directory.rename(from, directory, to);
    return true;
  }
}

function stageLink(directory: Directory, temporary: string, { file }: PutStep): void {
  directory.symlink(file.target ?? '', temporary);
  const { uid, gid } = ownerOf(file);
  naming(directory.pathOf(temporary), () => fs.lchownSync(directory.at(temporary), uid, gid));
}

async function stageFile(
  directory: Directory,
  temporary: string,
  tree: ImageTree | undefined,
  step: PutStep,
): Promise<void> {
  const fd = directory.openFile(temporary, O_RDWR | O_CREAT | O_EXCL, 0o600);
  const path = directory.pathOf(temporary);
  try {
    await fillFile(fd, path, tree, step);
    const found = naming(path, () => sha256OfFile(fd));
    if (found !== step.sha256) throw changed(tree, step, found);
    giveTo(path, fd, step.file, step.file.mode);
    naming(path, () => fs.fsyncSync(fd));
  } finally {
    fs.closeSync(fd);
  }
}

/** The owner first: giving a file away takes setuid from it. */
function giveTo(path: string, fd: number, owner: { readonly uid: number; readonly gid: number }, mode: number): void {
  const { uid, gid } = ownerOf(owner);
  naming(path, () => {
    fs.fchownSync(fd, uid, gid);
    fs.fchmodSync(fd, mode);
  });
}

function publish(directory: Directory, temporary: string, name: string, step: PutStep): Outcome {
  if (step.action === 'create') {
    if (!renameExclusive({ directory, name: temporary }, { directory, name })) return 'exists';
  } else {
    const stats = directory.lstat(name);
    if (stats === undefined || identityOf(stats) !== step.identity) return 'modified';
    directory.rename(temporary, directory, name);
  }
  directory.sync();
  return 'put';
}

function openDirectoryOf(root: HostRoot, path: string): { readonly directory: Directory; readonly name: string } {
  const parents = openParents(root, path);
  if (parents.kind === 'open') return parents;
  const text = `${printable(path)}: ${printable(parents.path)} is not a directory any more`;
  throw new ContainerError('HOST_PATH_REFUSED', text, { subject: path });
}

function discard(directory: Directory, temporary: string): void {
  try {
    directory.unlink(temporary);
  } catch {
    // The error that brought us here is the one to report; the next plan finds the leftover.
  }
}

function changed(tree: ImageTree | undefined, { file, sha256 }: PutStep, found: string): ContainerError {
  const text = `${printable(file.source)} in ${tree?.name ?? 'the image'}: expected sha256 ${sha256}, found ${found}`;
  return new ContainerError('BAD_STORED_IMAGE', text, { subject: tree?.name });
}
