/** Names of refs, remotes and collections. Source: ostree_validate_rev, ostree_validate_collection_id. */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { isChecksum } from '../objects/checksum.ts';

const COMPONENT = /^[\p{L}\p{N}_][-.\p{L}\p{N}_]*$/u;

export function isRefName(text: string): boolean {
  return !isChecksum(text) && text.split('/').every((part) => COMPONENT.test(part));
}

/** @throws OstreeError REF_NAME */
export function assertRefName(text: string): string {
  if (!isRefName(text)) {
    throw new OstreeError('REF_NAME', `${quote(text)} is no name for a ref`, {
      hint: 'letters, digits and "_", then also "-" and ".", in parts separated by "/"; not a checksum',
      subject: text,
    });
  }
  return text;
}

export function isRemoteName(text: string): boolean {
  return COMPONENT.test(text);
}

/** @throws OstreeError REF_NAME */
export function assertRemoteName(text: string): string {
  if (!isRemoteName(text))
    throw new OstreeError('REF_NAME', `${quote(text)} is no name for a remote`, { subject: text });
  return text;
}

/** As D-Bus interface names: at least two elements, separated by dots. */
export function isCollectionId(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(text);
}

/** A ref, of a remote when one is named. */
export interface Refspec {
  readonly remote: string | undefined;
  readonly ref: string;
}

/** `REMOTE:REF` or `REF`. @throws OstreeError REF_NAME */
export function parseRefspec(text: string): Refspec {
  const colon = text.indexOf(':');
  if (colon === -1) return { remote: undefined, ref: assertRefName(text) };
  return { remote: assertRemoteName(text.slice(0, colon)), ref: assertRefName(text.slice(colon + 1)) };
}

export function formatRefspec({ remote, ref }: Refspec): string {
  return remote === undefined ? ref : `${remote}:${ref}`;
}
