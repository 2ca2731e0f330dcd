/** Public keys as texts: base64 for ed25519, one a line; PEM or base64 for spki. */
import { decodeBase64, encodeBase64 } from '../../base/decode.ts';
import { CodedError } from '../../base/error.ts';
import { openPublicKey, openSpkiKey, PUBLIC_KEY_BYTES } from '../../trust/index.ts';
import { OstreeError } from '../error.ts';
import type { RawKey, RawKind } from './raw-keys.ts';

/** One key. @param where what to name in errors @throws OstreeError CONFIG_MALFORMED, CodedError WEAK_PUBLIC_KEY */
export function parseRawKey(kind: RawKind, text: string, where: string): RawKey {
  return kind === 'ed25519' ? parseEd25519(text, where) : parseSpki(text, where);
}

/** All keys of a file; blank lines do not count. @throws as `parseRawKey`, and for text that is no key */
export function parseRawKeys(kind: RawKind, bytes: Uint8Array, name: string): readonly RawKey[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return kind === 'spki' && text.includes('-----BEGIN') ? parsePem(text, name) : parseLines(kind, text, name);
}

function parseLines(kind: RawKind, text: string, name: string): readonly RawKey[] {
  return text.split('\n').flatMap((line, i) => {
    const word = line.trim();
    return word === '' ? [] : [parseRawKey(kind, word, `${name} line ${i + 1}`)];
  });
}

const PEM_BLOCK = /-----BEGIN [A-Z0-9 ]+-----[^-]*-----END [A-Z0-9 ]+-----/g;

function parsePem(text: string, name: string): readonly RawKey[] {
  if (text.replace(PEM_BLOCK, '').trim() !== '') throw badKey(name, 'expected PEM blocks, found something beside them');
  return (text.match(PEM_BLOCK) ?? []).map((block, i) => parseSpki(block, `${name} key ${i + 1}`));
}

function parseEd25519(text: string, where: string): RawKey {
  const raw = decodeBase64(text);
  if (raw === undefined) throw badKey(where, 'expected an ed25519 public key in base64, found something else');
  if (raw.length !== PUBLIC_KEY_BYTES) {
    const secret = raw.length === 2 * PUBLIC_KEY_BYTES ? ': a secret key does not belong here' : '';
    throw badKey(where, `expected an ed25519 public key of ${PUBLIC_KEY_BYTES} bytes, found ${raw.length}${secret}`);
  }
  const key = naming(where, () => openPublicKey(raw));
  return { text: encodeBase64(raw), algorithm: 'ed25519', verify: key.verify };
}

function parseSpki(text: string, where: string): RawKey {
  const key = naming(where, () => openSpkiKey(text));
  const body = text.replace(/-----[A-Z0-9 ]+-----/g, '').replace(/\s+/g, '');
  return { text: encodeBase64(decodeBase64(body) ?? new Uint8Array()), algorithm: key.type, verify: key.verify };
}

/** The same error, saying where. */
function naming<T>(where: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    if (cause.code === 'WEAK_PUBLIC_KEY') throw new CodedError(cause.code, where, { cause, subject: where });
    throw new OstreeError('CONFIG_MALFORMED', where, { cause, subject: where });
  }
}

function badKey(where: string, text: string): OstreeError {
  return new OstreeError('CONFIG_MALFORMED', `${where}: ${text}`, { subject: where });
}
