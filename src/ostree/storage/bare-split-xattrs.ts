/**
 * Mode `bare-split-xattrs`: as `bare`, but the extended attributes are an object of their own, linked to beside the
 * file as `.file-xattrs-link`; no attributes are an empty file. Read only, as in libostree.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { malformed, OstreeError } from '../error.ts';
import { HEADER_LIMIT } from '../objects/file-header.ts';
import type { Xattrs } from '../objects/xattrs.ts';
import { decodeXattrs } from '../objects/xattrs-object.ts';
import { bareWith } from './bare.ts';
import type { FileFormat } from './file-format.ts';
import { openObject } from './open-object.ts';
import { readExactly } from './plain-file.ts';

export const bareSplitXattrs: FileFormat = {
  extension: 'file',
  ...bareWith(readLinkedXattrs),
  begin() {
    throw new OstreeError('REPOSITORY_MODE', 'content cannot be written into a bare-split-xattrs repository');
  },
};

function readLinkedXattrs(path: string): Xattrs {
  const beside = path.replace(/\.file$/, '.file-xattrs-link');
  const bytes = readLinked(beside);
  return decodeXattrs(bytes, beside);
}

function readLinked(path: string): Uint8Array {
  try {
    const { fd, size } = openObject(path, path);
    try {
      if (size > HEADER_LIMIT) throw malformed(path, 'more attributes than Linux allows');
      const bytes = Buffer.alloc(size);
      readExactly(fd, bytes, 0, path);
      return bytes;
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw malformed(path, 'the extended attributes of this file are missing');
    throw error;
  }
}
