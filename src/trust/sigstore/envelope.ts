/**
 * A secret under a passphrase, as cosign and the containers tools keep it: JSON with scrypt and NaCl's secretbox.
 * Source of the format: go-tuf's `encrypted` package, which became part of securesystemslib.
 */
import { randomBytes, scryptSync } from 'node:crypto';
import * as v from 'valibot';
import { decodeBase64, decodeUtf8, encodeBase64 } from '../../base/decode.ts';
import { CodedError } from '../../base/error.ts';

/** What every version reads; newer ones of the tools write 65536, which older ones refuse. */
const OURS = { N: 32768, r: 8, p: 1 } as const;
const SALT_BYTES = 32;
const NONCE_BYTES = 24;
const KEY_BYTES = 32;
/** Far above what any tool writes: 128 MiB for a second or two. */
const MAX_MEMORY = 256 * 2 ** 20;
const MAX_WORK = 2 ** 22;

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 24));
const base64 = v.pipe(
  v.string(),
  v.maxLength(64 * 1024),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const bytes = decodeBase64(dataset.value);
    if (bytes !== undefined) return bytes;
    addIssue({ message: 'not base64' });
    return NEVER;
  }),
);
const ENVELOPE = v.object({
  kdf: v.object({
    name: v.literal('scrypt'),
    params: v.object({ N: count, r: count, p: count }),
    salt: base64,
  }),
  cipher: v.object({ name: v.literal('nacl/secretbox'), nonce: base64 }),
  ciphertext: base64,
});

/** @throws CodedError SIGSTORE_KEY when it is damaged or costs too much, SIGSTORE_PASSPHRASE */
export async function openEnvelope(json: Uint8Array, passphrase: Uint8Array, what: string): Promise<Uint8Array> {
  const { kdf, cipher, ciphertext } = parse(json, what);
  const { N, r, p } = kdf.params;
  const isCostly = 128 * N * r > MAX_MEMORY || N * r * p > MAX_WORK;
  if (isCostly || (N & (N - 1)) !== 0 || N < 2) throw malformed(what, 'parameters of scrypt that are not acceptable');
  if (cipher.nonce.length !== NONCE_BYTES) throw malformed(what, 'a nonce of another length');
  const key = derive(passphrase, kdf.salt, kdf.params);
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  try {
    return xsalsa20poly1305(key, cipher.nonce).decrypt(ciphertext);
  } catch (cause) {
    throw new CodedError('SIGSTORE_PASSPHRASE', `${what}: passphrase does not open the private key`, {
      cause,
      subject: what,
    });
  }
}

/** `openEnvelope(await sealEnvelope(s, p), p)` equals `s`. */
export async function sealEnvelope(secret: Uint8Array, passphrase: Uint8Array): Promise<Uint8Array> {
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  const ciphertext = xsalsa20poly1305(derive(passphrase, salt, OURS), nonce).encrypt(secret);
  return Buffer.from(
    JSON.stringify({
      kdf: { name: 'scrypt', params: OURS, salt: encodeBase64(salt) },
      cipher: { name: 'nacl/secretbox', nonce: encodeBase64(nonce) },
      ciphertext: encodeBase64(ciphertext),
    }),
  );
}

function derive(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { N, r, p }: { readonly N: number; readonly r: number; readonly p: number },
): Uint8Array {
  return scryptSync(passphrase, salt, KEY_BYTES, { N, r, p, maxmem: 2 * MAX_MEMORY });
}

function parse(json: Uint8Array, what: string): v.InferOutput<typeof ENVELOPE> {
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(json) ?? '');
  } catch (cause) {
    throw malformed(what, 'no JSON', cause);
  }
  const result = v.safeParse(ENVELOPE, value);
  if (!result.success) throw malformed(what, 'something else');
  return result.output;
}

function malformed(what: string, found: string, cause?: unknown): CodedError {
  const text = `${what}: expected a private key under scrypt and nacl/secretbox, found ${found}`;
  return new CodedError('SIGSTORE_KEY', text, { cause, subject: what });
}
