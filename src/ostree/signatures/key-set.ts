/** Keys of one kind that may vouch, and the signatures of that kind in metadata held against them. */
import type { Vardict } from '../../gvariant/index.ts';
import { signaturesOf } from '../objects/detached.ts';
import { plainReport, type SignatureKind, type SignatureReport } from './report.ts';

export interface KeySet {
  readonly kind: SignatureKind;
  /** Where its signatures stand in detached metadata and in `summary.sig`. */
  readonly metadataKey: string;
  /** One report or several for an entry of that array; never none. */
  check(data: Uint8Array, signature: Uint8Array, now: Date): Promise<readonly SignatureReport[]>;
  /** How many keys there are, and what of their files could not be read. */
  content(): Promise<KeySetContent>;
}

export interface KeySetContent {
  readonly count: number;
  readonly problems: readonly string[];
}

/** More are not looked at: whoever can add so many could as well have taken the good ones away. */
const MOST = 256;

/** All signatures of this kind, in their order; a bad one ends nothing. */
export async function checkAll(
  keys: KeySet,
  data: Uint8Array,
  metadata: Vardict,
  now: Date,
): Promise<readonly SignatureReport[]> {
  const reports: SignatureReport[] = [];
  for (const signature of signaturesOf(metadata, keys.metadataKey)) {
    if (reports.length >= MOST) {
      const reason = `more than ${MOST} signatures: the rest was not looked at`;
      return [...reports, plainReport(keys.kind, { status: 'unusable', key: undefined, reason })];
    }
    reports.push(...(await keys.check(data, signature, now)));
  }
  return reports;
}
