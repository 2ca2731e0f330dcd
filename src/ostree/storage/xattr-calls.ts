/** Extended attributes of files, as objects need them. They take koffi: without it such repositories are not read. */
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type SystemCalls, systemCalls } from '../../linux/calls/ffi.ts';
import { canonicalXattrs, NO_XATTRS, type Xattr, type Xattrs } from '../objects/xattrs.ts';

let calls: SystemCalls | undefined;

/** @param what whose attributes they are, where that is known @throws CodedError NO_XATTRS */
export function xattrCalls(what?: string): SystemCalls {
  calls ??= systemCalls();
  if (calls !== undefined) return calls;
  const of = what === undefined ? '' : `${printable(what)}: `;
  const text = `${of}extended attributes can only be read and written with the npm package koffi`;
  throw new CodedError('NO_XATTRS', text, {
    hint: 'install koffi; archive repositories can be read without it',
    subject: what,
  });
}

/** In canonical form, links not followed. One that vanishes between the two calls was not there. */
export function readXattrs(path: string, what?: string): Xattrs {
  const { llistxattr, lgetxattr } = xattrCalls(what);
  const names = llistxattr(path);
  if (names.length === 0) return NO_XATTRS;
  return canonicalXattrs(
    names.flatMap((name): Xattr[] => {
      const value = lgetxattr(path, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
