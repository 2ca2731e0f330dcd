/**
 * Mode `bare-split-xattrs`: as `bare`, but the extended attributes are an object of their own, linked to beside the
 * file as `.file-xattrs-link`; no attributes are an empty file. Read only, as in libostree.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { malformed, OstreeError } from '../error.ts';
import { decodeStrictly, HEADER_LIMIT } from '../objects/file-header.ts';
import { unpackXattrs, XATTRS, type Xattrs } from '../objects/xattrs.ts';
import { bareWith } from './bare.ts';
import type { FileFormat } from './file-format.ts';

export const bareSplitXattrs: FileFormat = {
  extension: 'file',
  ...bareWith(readLinkedXattrs),
  begin() {
    throw new OstreeError('REPOSITORY_MODE', 'content cannot be written into a bare-split-xattrs repository');
  },
};

function readLinkedXattrs(path: string): Xattrs {
  const beside = path.replace(/\.file$/, '.file-xattrs-link');
  try {
    if (fs.lstatSync(beside).size > HEADER_LIMIT) throw malformed(beside, 'more attributes than Linux allows');
    const bytes = fs.readFileSync(beside);
    return unpackXattrs(
      decodeStrictly(() => XATTRS.decode(bytes), beside),
      beside,
    );
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw malformed(beside, 'the extended attributes of this file are missing');
    throw error;
  }
}
