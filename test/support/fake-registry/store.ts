/** What a registry holds, in memory: per repository, for a blob of another repository is not there until mounted. */
import { createHash } from 'node:crypto';

export interface StoredManifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export interface Repository {
  /** By digest. */
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, StoredManifest>;
  /** To digests. */
  readonly tags: Map<string, string>;
  /** Unfinished ones, by session; what has arrived so far. */
  readonly uploads: Map<string, Buffer[]>;
}

export class Store {
  readonly repositories = new Map<string, Repository>();

  /** Made when it is asked for. */
  repository(name: string): Repository {
    const known = this.repositories.get(name);
    if (known !== undefined) return known;
    const made = { blobs: new Map(), manifests: new Map(), tags: new Map(), uploads: new Map() };
    this.repositories.set(name, made);
    return made;
  }

  addBlob(name: string, bytes: Uint8Array | string, algorithm = 'sha256'): string {
    const digest = digestOf(bytes, algorithm);
    this.repository(name).blobs.set(digest, Buffer.from(bytes));
    return digest;
  }

  /** Nothing is checked: tests put broken ones there. */
  addManifest(name: string, bytes: Uint8Array | string, mediaType: string, tag?: string): string {
    const digest = digestOf(bytes, 'sha256');
    const { manifests, tags } = this.repository(name);
    manifests.set(digest, { bytes: Buffer.from(bytes), mediaType });
    if (tag !== undefined) tags.set(tag, digest);
    return digest;
  }
}

export function digestOf(bytes: Uint8Array | string, algorithm: string): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
