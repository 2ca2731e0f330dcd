/** Where static deltas lie, and what they are called. Spec 9.1. */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, checksumBytes, isChecksum } from '../objects/checksum.ts';

/** From nothing (a new host) or from a commit, to a commit. */
export interface DeltaName {
  readonly from: Checksum | undefined;
  readonly to: Checksum;
}

/** Base64 without padding, `/` as `_`; `+` stays, and is sent literally in URLs. 43 characters. */
export function modifiedBase64(checksum: Checksum): string {
  return checksumBytes(checksum).toString('base64').replaceAll('/', '_').replace('=', '');
}

/** The checksum of 43 such characters, undefined for anything else. */
export function parseModifiedBase64(text: string): Checksum | undefined {
  if (!/^[A-Za-z0-9+_]{43}$/.test(text)) return undefined;
  const checksum = Buffer.from(text.replaceAll('_', '/'), 'base64').toString('hex');
  return modifiedBase64(checksum) === text ? checksum : undefined;
}

/** `deltas/ab/cdef…`, the directory of the superblock and the parts. */
export function deltaPath({ from, to }: DeltaName): string {
  const [first, second] = [from, to].filter((each) => each !== undefined).map(modifiedBase64);
  if (first === undefined) throw new Error('unreachable: a delta to nothing');
  return `deltas/${first.slice(0, 2)}/${first.slice(2)}${second === undefined ? '' : `-${second}`}`;
}

/** What a directory below `deltas/` is; undefined when it is no delta. */
export function parseDeltaPath(fanout: string, name: string): DeltaName | undefined {
  const [first = '', second, ...rest] = `${fanout}${name}`.split('-');
  const [a, b] = [first, second].map((text) => (text === undefined ? undefined : parseModifiedBase64(text)));
  if (a === undefined || rest.length > 0 || (second !== undefined && b === undefined)) return undefined;
  return b === undefined ? { from: undefined, to: a } : { from: a, to: b };
}

/** `delta-indexes/ab/cdef….index`: the deltas that lead to a commit. */
export function deltaIndexPath(to: Checksum): string {
  const name = modifiedBase64(to);
  return `delta-indexes/${name.slice(0, 2)}/${name.slice(2)}.index`;
}

/** `FROM-TO` or `TO`, as summaries and command lines have it. */
export function deltaName({ from, to }: DeltaName): string {
  return from === undefined ? to : `${from}-${to}`;
}

/** @throws OstreeError DELTA_MALFORMED */
export function parseDeltaName(text: string): DeltaName {
  const parts = text.split('-');
  const [first = '', second] = parts;
  if (parts.length > 2 || !parts.every(isChecksum)) {
    throw new OstreeError('DELTA_MALFORMED', `${quote(text)} is no name of a delta`, {
      hint: 'expected FROM-TO or TO, each a checksum of 64 hex digits',
      subject: text,
    });
  }
  return second === undefined ? { from: undefined, to: first } : { from: first, to: second };
}
