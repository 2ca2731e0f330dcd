/** Signing with a secret key that lies in a file. */
import type { PrivateKey } from 'openpgp';
import { CodedError } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { serializeKey } from './key-block.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import { type Library, loadLibrary, signingPolicy } from './library.ts';
import { TAG } from './packets.ts';

export interface OpenPgpSigner {
  /** 16 upper-case hex digits of the signing key or subkey; of the gpg program: as it was asked for. */
  readonly keyId: string;
  /** A binary detached signature over exactly these bytes. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

export interface SigningKeyOptions {
  /** A key id or fingerprint (of a key or of a subkey; with "!" exactly that one), a mail address or a whole user id. */
  readonly keyId?: string;
  readonly passphrase?: string;
}

/** See `openSigningKey`. */
export async function readSigningKey(file: KeyFile, options: SigningKeyOptions): Promise<OpenPgpSigner> {
  const library = await loadLibrary();
  const key = choose(await readSecretKeys(library, file), file, options.keyId);
  const part = await signingPart(library, key, file, options.keyId);
  const ready = await unlock(library, key, part, file, options.passphrase);
  return {
    keyId: part.getKeyID().toHex().toUpperCase(),
    async sign(data) {
      return library.sign({
        message: await library.createMessage({ binary: data }),
        signingKeys: ready,
        signingKeyIDs: part.getKeyID(),
        detached: true,
        format: 'binary',
        config: signingPolicy(library),
      });
    },
  };
}

type Part = Awaited<ReturnType<PrivateKey['getSigningKey']>>;

async function readSecretKeys(library: Library, file: KeyFile): Promise<readonly PrivateKey[]> {
  const { keys, problems } = readKeyFile(file);
  const secret = keys.filter(([primary]) => primary.head.tag === TAG.secretKey);
  if (secret.length === 0) {
    const found = keys.length > 0 ? 'holds only public keys' : (problems[0] ?? 'holds no key');
    throw refusal(file, `${found.replace(`${file.name}: `, '')}, and signing needs a secret one`);
  }
  try {
    return await Promise.all(
      secret.map((block) => library.readPrivateKey({ binaryKey: serializeKey(block), config: signingPolicy(library) })),
    );
  } catch (cause) {
    throw refusal(file, 'secret key cannot be read', cause);
  }
}

function choose(keys: readonly PrivateKey[], file: KeyFile, keyId: string | undefined): PrivateKey {
  const found = keyId === undefined ? keys : keys.filter((key) => isNamed(key, keyId));
  const [key, another] = found;
  if (key === undefined) throw refusal(file, `no secret key ${quote(keyId ?? '')}`);
  if (another !== undefined)
    throw refusal(file, `holds ${found.length} keys that are meant: name one by its fingerprint`);
  return key;
}

function isNamed(key: PrivateKey, name: string): boolean {
  const hex = asHex(name);
  if (hex !== undefined) return [key, ...key.subkeys].some((part) => matches(part, hex));
  const lower = name.toLowerCase();
  return key.getUserIDs().some((text) => text === name || text.toLowerCase().endsWith(`<${lower}>`) || text === lower);
}

function matches(part: PrivateKey | Part, hex: string): boolean {
  return part.getFingerprint() === hex || part.getKeyID().toHex() === hex;
}

/** A key id or fingerprint as GnuPG prints it or takes it, in lower case. */
function asHex(name: string): string | undefined {
  const hex = name.replace(/^0x/i, '').replace(/!$/, '').replace(/ /g, '').toLowerCase();
  return /^([0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64})$/.test(hex) ? hex : undefined;
}

async function signingPart(library: Library, key: PrivateKey, file: KeyFile, name: string | undefined): Promise<Part> {
  const hex = name === undefined ? undefined : asHex(name);
  const named = hex === undefined ? undefined : [key, ...key.subkeys].find((part) => matches(part, hex));
  // The id of a primary key stands for the whole key, unless an exclamation mark says otherwise.
  const exact = named === key && !name?.endsWith('!') ? undefined : named;
  try {
    return await key.getSigningKey(exact?.getKeyID(), undefined, undefined, signingPolicy(library));
  } catch (cause) {
    throw refusal(file, 'key may not sign now', cause);
  }
}

async function unlock(
  library: Library,
  key: PrivateKey,
  part: Part,
  file: KeyFile,
  passphrase: string | undefined,
): Promise<PrivateKey> {
  const packet = part.keyPacket;
  if (packet instanceof library.SecretKeyPacket || packet instanceof library.SecretSubkeyPacket) {
    if (packet.isDummy()) throw refusal(file, 'holds only a stub of the signing key: the secret part is elsewhere');
    if (packet.isDecrypted() === true) return key;
  }
  if (passphrase === undefined) throw refusal(file, 'secret key has a passphrase, and none was given');
  try {
    return await library.decryptKey({ privateKey: key, passphrase, config: signingPolicy(library) });
  } catch (cause) {
    throw refusal(file, 'passphrase does not open the secret key', cause);
  }
}

function refusal(file: KeyFile, text: string, cause?: unknown): CodedError {
  return new CodedError('OPENPGP_KEY', `${file.name}: ${text}`, { cause, subject: file.name });
}
