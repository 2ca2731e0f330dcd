/** One repository of a registry. */
import type { Descriptor, Digest, RawManifest } from '../oci/index.ts';
import { repositoryScope } from './auth/scope.ts';
import { hasBlob } from './blobs/has-blob.ts';
import { readBlob } from './blobs/read-blob.ts';
import { deleteManifest, getManifest, headManifest, type ManifestHead, putManifest } from './manifests/manifests.ts';
import { addReferrer, listReferrers, removeReferrer } from './manifests/referrers.ts';
import { listTags } from './manifests/tags.ts';
import { assertRepository } from './names.ts';
import type { Session } from './session/session.ts';
import type { RetryPolicy } from './upload/attempts.ts';
import { BlobUpload, type Habits } from './upload/blob-upload.ts';
import type { BlobSource } from './upload/body.ts';
import { mountBlob } from './upload/mount.ts';

/** All methods reject with RegistryError; HttpError when the registry did not answer; OciError for wrong bytes. */
export interface RegistryRepository {
  readonly name: string;
  /** Of a tag or a digest, in the registry's bytes, which have the digest. */
  getManifest(reference: string, signal: AbortSignal): Promise<RawManifest>;
  /** Undefined where there is none. */
  headManifest(reference: string, signal: AbortSignal): Promise<ManifestHead | undefined>;
  /** From byte `from` on, never more than the descriptor's size, unverified. A chunk is valid until the next is asked for. */
  readBlob(descriptor: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Its size; undefined where it is not, or where the registry cannot tell. */
  hasBlob(digest: Digest, signal: AbortSignal): Promise<number | undefined>;
  /** Take it over from another repository of this registry; false when it has to be sent after all. */
  mountBlob(digest: Digest, from: string, signal: AbortSignal): Promise<boolean>;
  /** `source` is only called when the blob is not there, and again with a later byte when an upload broke off. */
  putBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void>;
  putManifest(raw: RawManifest, reference: string, signal: AbortSignal): Promise<void>;
  deleteManifest(reference: string, signal: AbortSignal): Promise<void>;
  deleteBlob(digest: Digest, signal: AbortSignal): Promise<void>;
  listTags(signal: AbortSignal): Promise<readonly string[]>;
  /** Nobody who points at it: an empty list, also when the subject itself is missing. */
  referrers(digest: Digest, artifactType: string | undefined, signal: AbortSignal): Promise<readonly Descriptor[]>;
  /** To be called after the manifest of `descriptor` has been pushed. */
  addReferrer(subject: Digest, descriptor: Descriptor, signal: AbortSignal): Promise<void>;
  removeReferrer(subject: Digest, referrer: Digest, signal: AbortSignal): Promise<void>;
}

export interface RepositoryOptions {
  readonly session: Session;
  readonly name: string;
  readonly foreignLayers: boolean;
  readonly chunk: number;
  readonly policy: RetryPolicy;
  readonly habits: Habits;
  readonly onNote: (text: string) => void;
}

/** @throws RegistryError REGISTRY_NAME */
export function createRepository(options: RepositoryOptions): RegistryRepository {
  const { session, name, foreignLayers } = options;
  assertRepository(name);
  /** Uploads that a mount began instead. */
  const begun = new Map<Digest, URL>();
  /** Referrers that the registry has taken notice of when they were pushed. */
  const noted = new Set<Digest>();
  const of = (subject: Digest) => ({ session, repository: name, subject });

  return {
    name,
    getManifest: (reference, signal) => getManifest(session, name, reference, signal),
    headManifest: (reference, signal) => headManifest(session, name, reference, signal),
    readBlob: (descriptor, from, signal) =>
      readBlob({ session, repository: name, descriptor, from, foreign: foreignLayers }, signal),
    hasBlob: (digest, signal) => hasBlob(session, name, digest, ['pull'], signal),
    async mountBlob(digest, from, signal) {
      const answer = await mountBlob(session, name, digest, from, signal);
      if (answer.kind === 'begun' && answer.place !== undefined) begun.set(digest, answer.place);
      return answer.kind === 'mounted';
    },
    async putBlob(descriptor, source, signal) {
      const { digest, size } = descriptor;
      if ((await hasBlob(session, name, digest, ['pull', 'push'], signal)) === size) return;
      const upload = { ...options, repository: name, descriptor, source, begun: begun.get(digest) };
      begun.delete(digest);
      await new BlobUpload(upload, signal).run();
    },
    async putManifest(raw, reference, signal) {
      if (await putManifest(session, name, raw, reference, signal)) noted.add(raw.digest);
    },
    deleteManifest: (reference, signal) => deleteManifest(session, name, reference, signal),
    async deleteBlob(digest, signal) {
      const scopes = repositoryScope(name, 'pull', 'delete');
      const at = `/v2/${name}/blobs/${digest}`;
      await session.ask({ what: `deletion of blob ${digest} of ${name}`, method: 'DELETE', at, scopes }, signal);
    },
    listTags: (signal) => listTags(session, name, signal),
    referrers: (digest, artifactType, signal) => listReferrers(of(digest), artifactType, signal),
    async addReferrer(subject, descriptor, signal) {
      if (!noted.has(descriptor.digest)) await addReferrer(of(subject), descriptor, signal);
    },
    removeReferrer: (subject, referrer, signal) => removeReferrer(of(subject), referrer, signal),
  };
}
