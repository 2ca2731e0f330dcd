/** Images in memory, with signatures. */
import {
  type Descriptor,
  digestOf,
  type NamedReference,
  parseNamed,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import { parseImageName } from '../image-name.ts';
import type { ImageSource } from '../ports.ts';
import { type Policy, parsePolicy } from './policy-file.ts';

export const RAW: RawManifest = rawManifest(
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
      layers: [],
    }),
  ),
);

export interface SourceParts {
  readonly simple?: readonly Uint8Array[];
  readonly siblings?: ReadonlyMap<string, RawManifest>;
  readonly referrers?: readonly Descriptor[];
  readonly blobs?: readonly Uint8Array[];
  /** Hears what is asked for. */
  readonly onAsk?: (what: string) => void;
}

export function source(text: string, parts: SourceParts = {}): ImageSource {
  const { simple = [], siblings = new Map(), referrers = [], blobs = [], onAsk = () => undefined } = parts;
  const name = parseImageName(text);
  const identity: NamedReference | undefined = name.transport === 'docker' ? parseNamed(name.location) : undefined;
  const find = (digest: string): Uint8Array => blobs.find((blob) => digestOf(blob) === digest) ?? new Uint8Array();
  return {
    name,
    layers: 'exact',
    identity,
    readManifest: async (digest) => (digest === undefined ? RAW : rawManifest(find(digest))),
    async *readBlob(descriptor) {
      onAsk(`blob ${descriptor.digest}`);
      yield find(descriptor.digest);
    },
    simpleSignatures: async () => {
      onAsk('simple');
      return simple;
    },
    sibling: async (tag) => {
      onAsk(`sibling ${tag}`);
      return siblings.get(tag);
    },
    referrers: async () => {
      onAsk('referrers');
      return referrers;
    },
    close: () => undefined,
  };
}

export const ACCEPT = { type: 'insecureAcceptAnything' };
export const REJECT = { type: 'reject' };

export function policyOf(value: unknown): Policy {
  return parsePolicy(Buffer.from(JSON.stringify(value)), 'policy.json');
}
