/**
 * Fields of a JSON document, strictly by type. `what` names the field in errors, `manifest.layers[3].size`. A field of
 * value null is absent: tools written in Go write empty lists and maps so.
 */
import { malformed } from './error.ts';
import { describe, isObject, type JsonObject } from './json.ts';

/** Reads one kind of value. @throws OciError MANIFEST_MALFORMED */
export type Reader<T> = (value: unknown, what: string) => T;

/** Own fields only: a document that has none called `constructor` shall give none. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
}

export function optional<T>(object: JsonObject, name: string, what: string, read: Reader<T>): T | undefined {
  const value = field(object, name);
  return value === undefined ? undefined : read(value, `${what}.${name}`);
}

export function required<T>(object: JsonObject, name: string, what: string, read: Reader<T>): T {
  return read(field(object, name), `${what}.${name}`);
}

export const readObject: Reader<JsonObject> = (value, what) => {
  if (!isObject(value)) throw malformed(what, 'an object', describe(value));
  return value;
};

export const readText: Reader<string> = (value, what) => {
  if (typeof value !== 'string') throw malformed(what, 'a string', describe(value));
  return value;
};

export const readBoolean: Reader<boolean> = (value, what) => {
  if (typeof value !== 'boolean') throw malformed(what, 'true or false', describe(value));
  return value;
};

/** A number of bytes and the like. */
export const readSize: Reader<number> = (value, what) => {
  if (typeof value !== 'number') throw malformed(what, 'a number', describe(value));
  if (!Number.isSafeInteger(value) || value < 0) throw malformed(what, 'a whole number from 0 on', String(value));
  return value;
};

export function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value, what) => {
    if (!Array.isArray(value)) throw malformed(what, 'a list', describe(value));
    return value.map((element, i) => read(element, `${what}[${i}]`));
  };
}

export function mapOf<T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, what) => {
    const entries = Object.entries(readObject(value, what));
    return Object.fromEntries(entries.map(([key, element]) => [key, read(element, `${what}.${key.slice(0, 80)}`)]));
  };
}

export const readTexts = listOf(readText);
/** Annotations and labels: strings only. */
export const readTextMap = mapOf(readText);
