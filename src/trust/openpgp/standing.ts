/**
 * What a key says about itself: until when it is valid, whether it is revoked, what it may do.
 *
 * The library judges a key as it was when a signature was made; here it is judged as it is now, as GnuPG does it.
 * In each place the newest statement counts. A revocation counts whatever its reason and its date.
 */
import type { Key, SignaturePacket, Subkey, User } from 'openpgp';
import type { Library } from './library.ts';
import { createdMs, holds, newest, revocationsThatHold, type View, viewAt } from './statements.ts';

const MAY_SIGN = 2;

export interface Standing {
  readonly createdAt: Date;
  /** Why nothing of it holds any more, if it is revoked. */
  readonly revoked: string | undefined;
  /** Milliseconds since 1970, `Infinity` when it does not expire. */
  readonly expiresAtMs: number;
  /** Which rule it breaks, if any. */
  readonly flaw: string | undefined;
}

export interface PrimaryStanding extends Standing {
  /** The primary one first, revoked ones not at all. */
  readonly userIds: readonly string[];
}

/** The primary key itself, at the given moment or, without one, by its newest statements. */
export async function primaryStanding(library: Library, key: Key, now?: Date): Promise<PrimaryStanding> {
  const view = viewAt(library, now);
  const direct = await newest(view, key, directSignatures(library, key), library.enums.signature.key, {
    key: key.keyPacket,
  });
  const users = await Promise.all(key.users.map((user) => userStanding(view, key, user)));
  const valid = users.filter((user) => user.certificate !== undefined && !user.revoked).sort(byImportance);
  const self = key.keyPacket.version === 6 ? direct : valid[0]?.certificate;
  const statements = [self, direct].filter((statement) => statement !== undefined);
  return {
    createdAt: key.getCreationTime(),
    revoked: (await isRevoked(view, key))
      ? 'key is revoked'
      : self === undefined && users.some((user) => user.revoked)
        ? 'every user id of the key is revoked'
        : undefined,
    expiresAtMs: Math.min(Infinity, ...statements.map((statement) => expiry(key.getCreationTime(), statement))),
    flaw:
      self === undefined
        ? 'key without a valid self-signature'
        : maySign(self.keyFlags ?? direct?.keyFlags)
          ? undefined
          : 'key that may not sign data',
    userIds: (valid.length > 0 ? valid.map(({ text }) => text) : key.getUserIDs()).filter((text) => text !== ''),
  };
}

/** A subkey, as bound to its primary key; the primary key's own standing is another matter. */
export async function subkeyStanding(library: Library, key: Key, subkey: Subkey, now?: Date): Promise<Standing> {
  const { signature } = library.enums;
  const view = viewAt(library, now);
  const bound = { key: key.keyPacket, bind: subkey.keyPacket };
  const binding = await newest(view, key, subkey.bindingSignatures, signature.subkeyBinding, bound);
  const revoked = await revocationsThatHold(view, key, subkey.revocationSignatures, signature.subkeyRevocation, bound);
  return {
    createdAt: subkey.getCreationTime(),
    revoked: revoked.length > 0 ? 'signing subkey is revoked' : undefined,
    expiresAtMs: binding === undefined ? Infinity : expiry(subkey.getCreationTime(), binding),
    flaw:
      binding === undefined
        ? 'subkey that is not bound to its key'
        : !maySign(binding.keyFlags)
          ? 'subkey that may not sign data'
          : (await isConfirmed(library, subkey, binding, bound))
            ? undefined
            : 'signing subkey that has not confirmed its key',
  };
}

interface UserStanding {
  readonly text: string;
  readonly certificate: SignaturePacket | undefined;
  readonly revoked: boolean;
}

async function userStanding(view: View, key: Key, user: User): Promise<UserStanding> {
  const { signature } = view.library.enums;
  if (user.userID === null) return { text: '', certificate: undefined, revoked: false };
  const over = { key: key.keyPacket, userID: user.userID };
  const certificate = await newest(view, key, user.selfCertifications, signature.certGeneric, over);
  const revocations = await revocationsThatHold(view, key, user.revocationSignatures, signature.certRevocation, over);
  // Unlike a key, a user id can be taken up again: by a certificate that is newer than its revocation.
  const revoked = revocations.some((revocation) => createdMs(revocation) >= createdMs(certificate));
  return { text: user.userID.userID, certificate, revoked };
}

function byImportance(a: UserStanding, b: UserStanding): number {
  const primary = Number(b.certificate?.isPrimaryUserID ?? false) - Number(a.certificate?.isPrimaryUserID ?? false);
  return primary || createdMs(b.certificate) - createdMs(a.certificate);
}

async function isRevoked(view: View, key: Key): Promise<boolean> {
  const type = view.library.enums.signature.keyRevocation;
  return (await revocationsThatHold(view, key, key.revocationSignatures, type, { key: key.keyPacket })).length > 0;
}

/** A subkey that signs must say itself whose it is, or a key could claim the signatures of somebody else's. */
async function isConfirmed(
  library: Library,
  subkey: Subkey,
  binding: SignaturePacket,
  bound: object,
): Promise<boolean> {
  const { keyBinding } = library.enums.signature;
  const confirmation = binding.embeddedSignature;
  if (confirmation?.signatureType !== keyBinding) return false;
  return holds(library, subkey.keyPacket, confirmation, keyBinding, bound);
}

function directSignatures(library: Library, key: Key): readonly SignaturePacket[] {
  return [...key.toPacketList()].filter(
    (packet): packet is SignaturePacket =>
      packet instanceof library.SignaturePacket && packet.signatureType === library.enums.signature.key,
  );
}

function expiry(created: Date, statement: SignaturePacket): number {
  const end = statement.getExpirationTime();
  const ofKey =
    statement.keyNeverExpires === false ? created.getTime() + (statement.keyExpirationTime ?? 0) * 1000 : Infinity;
  return Math.min(ofKey, end instanceof Date ? end.getTime() : Infinity);
}

/** A key without flags may do anything in old readers; here it has to say what it is for. */
function maySign(flags: ArrayLike<number> | null | undefined): boolean {
  return ((flags?.[0] ?? 0) & MAY_SIGN) !== 0;
}
