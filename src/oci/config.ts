/**
 * The configuration of an image (OCI image specification, config.md; Docker's is nearly the same).
 *
 * The value has the names of the document, and its unknown fields: what is changed by spreading keeps them (numbers as
 * JavaScript has them: more than 53 bits are rounded).
 */
import { type Digest, parseDigest } from './digest.ts';
import { malformed } from './error.ts';
import {
  field,
  listOf,
  mapOf,
  type Reader,
  readBoolean,
  readObject,
  readText,
  readTextMap,
  readTexts,
} from './fields.ts';
import { encodeJson, type JsonObject, parseJson } from './json.ts';
import type { ImageManifest } from './manifest.ts';

/** What a container of the image runs. */
export interface RunConfig {
  readonly User?: string | undefined;
  readonly ExposedPorts?: Readonly<Record<string, JsonObject>> | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Readonly<Record<string, JsonObject>> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly StopSignal?: string | undefined;
  readonly [unknown: string]: unknown;
}

export interface HistoryEntry {
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  /** No layer belongs to this entry. */
  readonly empty_layer?: boolean | undefined;
  readonly [unknown: string]: unknown;
}

export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  /** Empty where the document has none, as for Go. */
  readonly architecture: string;
  readonly os: string;
  readonly 'os.version'?: string | undefined;
  readonly 'os.features'?: readonly string[] | undefined;
  readonly variant?: string | undefined;
  readonly config?: RunConfig | undefined;
  /** Digests of the uncompressed layers, the lowest first. */
  readonly rootfs: {
    readonly type: 'layers';
    readonly diff_ids: readonly Digest[];
    readonly [unknown: string]: unknown;
  };
  readonly history?: readonly HistoryEntry[] | undefined;
  readonly [unknown: string]: unknown;
}

type Readers = Readonly<Record<string, Reader<unknown>>>;

const readDigest: Reader<Digest> = (value, what) => parseDigest(readText(value, what), what);
const readLayersType: Reader<'layers'> = (value, what) => {
  if (value !== 'layers') throw malformed(what, '"layers"', 'something else');
  return value;
};

/** Known fields in the order in which they are written. */
const RUN: Readers = {
  User: readText,
  ExposedPorts: mapOf(readObject),
  Env: readTexts,
  Entrypoint: readTexts,
  Cmd: readTexts,
  Volumes: mapOf(readObject),
  WorkingDir: readText,
  Labels: readTextMap,
  StopSignal: readText,
};
const HISTORY: Readers = {
  created: readText,
  created_by: readText,
  author: readText,
  comment: readText,
  empty_layer: readBoolean,
};
const ROOTFS: Readers = { type: readLayersType, diff_ids: listOf(readDigest) };
const IMAGE: Readers = {
  created: readText,
  author: readText,
  architecture: readText,
  variant: readText,
  os: readText,
  'os.version': readText,
  'os.features': readTexts,
  config: (value, what) => readFields(value, what, RUN),
  rootfs: (value, what) => readFields(value, what, ROOTFS),
  history: listOf((value, what) => readFields(value, what, HISTORY)),
};

/**
 * Known fields by their types; null stands for an absent one, and is dropped.
 * @throws OciError MANIFEST_MALFORMED, TOO_LARGE, INVALID_DIGEST
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const fields = readFields(parseJson(bytes, 'config'), 'config', IMAGE);
  const rootfs = readObject(field(fields, 'rootfs'), 'config.rootfs');
  readLayersType(rootfs['type'], 'config.rootfs.type');
  const complete = { architecture: '', os: '', ...fields, rootfs: { diff_ids: [], ...rootfs } };
  return complete as unknown as ImageConfig; // every known field was read as its type just now
}

/** Compact JSON, known fields first and in a fixed order, unknown ones in theirs: equal values give equal bytes. */
export function encodeConfig(config: ImageConfig): Uint8Array {
  const { config: run, rootfs, history } = config;
  return encodeJson(
    ordered(
      {
        ...config,
        config: run === undefined ? undefined : ordered(run, RUN),
        rootfs: ordered(rootfs, ROOTFS),
        history: history?.map((entry) => ordered(entry, HISTORY)),
      },
      IMAGE,
    ),
  );
}

/** @throws OciError MANIFEST_MALFORMED when layers and diff ids are not as many */
export function assertSameLayers(manifest: ImageManifest, config: ImageConfig): void {
  const [layers, ids] = [manifest.layers.length, config.rootfs.diff_ids.length];
  if (layers !== ids) throw malformed('config.rootfs.diff_ids', `${layers}, one for every layer`, `${ids}`);
}

function readFields(value: unknown, what: string, readers: Readers): JsonObject {
  const entries = Object.entries(readObject(value, what)).flatMap(([name, element]) => {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read === undefined) return [[name, element] as const];
    return element === null ? [] : [[name, read(element, `${what}.${name}`)] as const];
  });
  return Object.fromEntries(entries);
}

function ordered(fields: JsonObject, known: Readers): JsonObject {
  const first = Object.keys(known).filter((name) => fields[name] !== undefined);
  const rest = Object.keys(fields).filter((name) => !Object.hasOwn(known, name));
  return Object.fromEntries([...first, ...rest].map((name) => [name, fields[name]]));
}
