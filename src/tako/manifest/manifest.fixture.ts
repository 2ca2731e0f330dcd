import { parseVersion } from '../../version/index.ts';
import { parseSecretKey, type SecretKey } from './key.ts';
import { type Manifest, type ManifestEntry, openManifest, sealManifest } from './manifest.ts';

/** The test vector of spec/tako.md 2.5; its manifest was made by the reference implementation. */
export const SEED = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
export const SECRET_TEXT =
  'SECRET+nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGtdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';
export const PUBLIC_TEXT = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
export const VECTOR = Buffer.from(
  `Tako Manifest 1

1.0.0 6 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
1.1-rc.1 6 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
1.1 7 15296cbd7565d6b3583fcfe1d92246cbe27bd9b7c5862784c78f1176c3b622b0

QJSS82cyJkuH9+gHBf5TlepoIOd7rqjmwCYvNYgYPE2OTZwVur56yZtNJ0cYUBfprqHIEn2cwORvoG9ULEOvDw==
`,
  'latin1',
);
export const EMPTY_SIGNATURE =
  'ixaXvvMfLsrab0h+jzPqs6yPxYBxssnOOCkjijV5NUZ/0Q9Co1VjP6j6+M1tkGI2jj7elrmb93/1mbidJj07AQ==';

export const secret: SecretKey = parseSecretKey(SECRET_TEXT);
export const key = secret.publicKey;

export const HELLO = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
export const WORLD = '15296cbd7565d6b3583fcfe1d92246cbe27bd9b7c5862784c78f1176c3b622b0';

/** A digest that is easy to tell apart: 64 times one digit. */
export function digest(digit: string): string {
  return digit.repeat(64);
}

export function entry(version: string, sha256: string = HELLO, size: number | bigint = 6): ManifestEntry {
  return { version: parseVersion(version), size: BigInt(size), sha256 };
}

/** `1.0=a 1.1=b`: entries of 6 bytes with the digests aaa..., bbb... */
export function entries(text: string): ManifestEntry[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const at = word.indexOf('=');
      return entry(word.slice(0, at), digest(word.slice(at + 1)));
    });
}

/** The file for any bytes before the signature line, properly signed. */
export function signBody(body: string | Uint8Array, by: SecretKey = secret): Buffer {
  const bytes = Buffer.from(body as Uint8Array); // a string is taken as UTF-8
  return Buffer.concat([bytes, Buffer.from(`${Buffer.from(by.sign(bytes)).toString('base64')}\n`)]);
}

/** A properly signed manifest of these lines, whatever they say. */
export function signLines(lines: readonly string[], by: SecretKey = secret): Buffer {
  return signBody(`Tako Manifest 1\n\n${lines.map((line) => `${line}\n`).join('')}\n`, by);
}

/** The same, the lines being Latin 1: one character a byte. */
export function signLatin1(line: string): Buffer {
  return signBody(Buffer.from(`Tako Manifest 1\n\n${line}\n\n`, 'latin1'));
}

export function manifestOf(text: string, by: SecretKey = secret): Manifest {
  return openManifest(sealManifest(entries(text), by), [by.publicKey]);
}
