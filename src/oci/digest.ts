/**
 * Digests: the names of blobs. `sha256` and `sha512` are the algorithms that the OCI image specification registers;
 * others have a valid form, and nobody can check them.
 */
import { createHash } from 'node:crypto';
import { isHex } from '../base/decode.ts';
import { quote } from '../base/text.ts';
import { OciError } from './error.ts';

/** `sha256:` or `sha512:` and lower-case hex. */
export type Digest = `${DigestAlgorithm}:${string}`;
export type DigestAlgorithm = 'sha256' | 'sha512';

const BYTES: Readonly<Record<DigestAlgorithm, number>> = { sha256: 32, sha512: 64 };
/** The whole grammar, with algorithms that are not registered. */
const GRAMMAR = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

export function isDigest(text: string): text is Digest {
  const { algorithm, hex } = splitDigest(text as Digest);
  return Object.hasOwn(BYTES, algorithm) && isHex(hex, BYTES[algorithm]);
}

/** @throws OciError INVALID_DIGEST, which tells an unknown algorithm from a malformed text */
export function parseDigest(text: string, what = 'digest'): Digest {
  if (isDigest(text)) return text;
  const why = GRAMMAR.test(text) ? 'only sha256 and sha512 can be verified' : 'expected ALGORITHM:HEX';
  throw new OciError('INVALID_DIGEST', `${what} ${quote(text)}: ${why}`, { subject: text });
}

/** Nothing is checked here. */
export function splitDigest(digest: Digest): { readonly algorithm: DigestAlgorithm; readonly hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, Math.max(colon, 0)) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Hashes what passes, and says at the end whether it was what a descriptor promises. */
export class DigestCheck {
  readonly #what: string;
  readonly #expected: { readonly digest: Digest; readonly size: number | undefined };
  readonly #hash;
  #size = 0;

  /** @param size undefined where nothing states it, as with diff ids */
  constructor(what: string, digest: Digest, size: number | undefined) {
    this.#what = what;
    this.#expected = { digest, size };
    this.#hash = createHash(splitDigest(digest).algorithm);
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** @throws OciError INVALID_SIZE as soon as there are more than promised */
  update(chunk: Uint8Array): void {
    const { digest, size } = this.#expected;
    this.#size += chunk.length;
    if (size !== undefined && this.#size > size) throw this.#wrongSize('more', size, digest);
    this.#hash.update(chunk);
  }

  /** @throws OciError INVALID_SIZE, INVALID_DIGEST */
  finish(): void {
    const { digest, size } = this.#expected;
    if (size !== undefined && this.#size !== size) throw this.#wrongSize(`${this.#size}`, size, digest);
    const found = `${splitDigest(digest).algorithm}:${this.#hash.digest('hex')}`;
    if (found === digest) return;
    throw new OciError('INVALID_DIGEST', `${this.#what}: expected ${digest}, found ${found}`, { subject: digest });
  }

  #wrongSize(found: string, size: number, subject: string): OciError {
    return new OciError('INVALID_SIZE', `${this.#what}: expected ${size} bytes, found ${found}`, { subject });
  }
}

/** Bytes that are in memory. @throws OciError INVALID_SIZE, INVALID_DIGEST */
export function assertDigest(what: string, bytes: Uint8Array, digest: Digest, size?: number): void {
  const check = new DigestCheck(what, digest, size);
  check.update(bytes);
  check.finish();
}
