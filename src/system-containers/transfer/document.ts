/** `os-containers.json` in an exported file: what the container is beside its images. Schema `os-containers.export/1`. */
import * as v from 'valibot';
import { decodeUtf8 } from '../../base/decode.ts';
import { formatDocument, type Json } from '../../base/json.ts';
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';

export const DOCUMENT_NAME = 'os-containers.json';
/** Each `info` has a few hundred paths at most. */
export const DOCUMENT_LIMIT = 16 * 2 ** 20;
const SCHEMA = 'os-containers.export/1';
const SLOTS_LIMIT = 100;

const text = v.pipe(v.string(), v.maxLength(65_536));
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const digest = v.pipe(v.string(), v.regex(/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/));

const slot = v.object({
  slot: v.pipe(whole, v.maxValue(SLOTS_LIMIT - 1)),
  /** Of the image in this file. */
  tag: v.pipe(v.string(), v.regex(/^[\w][\w.-]{0,127}$/)),
  digest,
  /** The image that it was made of, as its registry knows it. */
  originalDigest: v.nullable(digest),
  storedName: text,
  /** As the user wrote it; it is a value for templates, and has one line. */
  image: v.pipe(text, v.regex(/^\P{Cc}*$/u)),
  setValues: v.record(v.string(), text),
  permissions: v.array(text),
  tagVersion: v.nullable(v.object({ pattern: text, preReleases: v.boolean() })),
  /** Milliseconds since the epoch. */
  activated: v.nullable(whole),
  /** The whole of it as it was, for people and for later versions. */
  info: v.record(v.string(), v.unknown()),
});

const document = v.object({
  schema: v.literal(SCHEMA),
  name: text,
  active: whole,
  slots: v.pipe(v.array(slot), v.minLength(1), v.maxLength(SLOTS_LIMIT)),
});

export type ExportedSlot = v.InferOutput<typeof slot>;
/** The active slot is one of `slots`. */
export type ExportDocument = Omit<v.InferOutput<typeof document>, 'schema'>;

export function encodeExport({ name, active, slots }: ExportDocument): Uint8Array {
  // What was read from an `info` is JSON.
  return Buffer.from(formatDocument(SCHEMA, { name, active, slots: slots as unknown as Json }));
}

/** @throws ContainerError BAD_EXPORT */
export function decodeExport(bytes: Uint8Array, file: string): ExportDocument {
  const found = v.safeParse(document, parsed(bytes, file));
  if (!found.success) {
    const issue = found.issues[0];
    throw badExport(file, `${v.getDotPath(issue) ?? 'document'}: ${issue.message}`);
  }
  const { schema: _, ...value } = found.output;
  const numbers = value.slots.map((each) => each.slot);
  if (new Set(numbers).size < numbers.length) throw badExport(file, 'a slot is there twice');
  if (!numbers.includes(value.active)) throw badExport(file, `the active slot ${value.active} is not there`);
  return value;
}

function parsed(bytes: Uint8Array, file: string): unknown {
  const json = decodeUtf8(bytes);
  if (json === undefined) throw badExport(file, 'not UTF-8');
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw badExport(file, 'not JSON', cause);
  }
}

export function badExport(file: string, why: string, cause?: unknown): ContainerError {
  return new ContainerError('BAD_EXPORT', `${quote(file)}: ${DOCUMENT_NAME}: ${why}`, { cause, subject: file });
}
