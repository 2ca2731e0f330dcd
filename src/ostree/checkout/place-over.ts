/** A file in a target in which there may be something of its name already. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { OstreeError } from '../error.ts';
import type { FileEntry } from '../objects/dirtree.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { CheckoutOptions } from './options.ts';
import type { FilePlacer } from './place-file.ts';
import { sameFile } from './same-file.ts';
import { joinPath, nameError, remove, type Target, targetExists } from './target.ts';

export interface Placing {
  readonly reader: ObjectReader;
  readonly options: CheckoutOptions;
  readonly placer: FilePlacer;
}

/** A promise only for what is large. @throws OstreeError TARGET_EXISTS and as `FilePlacer` */
export function placeFile(placing: Placing, target: Target, entry: FileEntry): Promise<void> | undefined {
  const { options, placer } = placing;
  let placed: Promise<void> | undefined;
  try {
    if (options.existing === 'refuse') placed = placer.place(entry.checksum, target, entry.name);
    else placed = placeOver(placing, target, entry);
  } catch (error) {
    throw named(error, target, entry.name);
  }
  return placed?.catch((error: unknown) => {
    throw named(error, target, entry.name);
  });
}

/**
 * While we are alone in a directory the name is always the same: what a killed run left under it goes when this file
 * is placed again. It stays locked until it is closed.
 */
function temporaryIn({ fd, at }: Target): string {
  const isAlone = systemCalls()?.flock(fd, 'exclusive') === true;
  return `${at}/.checkout${isAlone ? '' : `-${process.pid}`}.new`;
}

function named(error: unknown, target: Target, name: string): unknown {
  return codeOf(error) === 'EEXIST' ? targetExists(joinPath(target, name)) : nameError(error, target, name);
}

function placeOver(placing: Placing, target: Target, { name, checksum }: FileEntry) {
  const { options, placer, reader } = placing;
  const path = `${target.at}/${name}`;
  const temporary = temporaryIn(target);
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return placer.place(checksum, target, name, temporary);
  if (options.existing === 'keep') return undefined;
  if (options.existing === 'identical') {
    if (sameFile(reader, checksum, path, there, options.userMode)) return undefined;
    const where = joinPath(target, name);
    throw new OstreeError('TARGET_EXISTS', `${printable(where)}: exists, and is another file`, { subject: where });
  }
  if (!there.isDirectory()) return placer.replace(checksum, path, temporary);
  if (!options.whiteouts) throw targetExists(joinPath(target, name));
  remove(target, name);
  return placer.place(checksum, target, name, temporary);
}
