/** `a{sv}`, the shape of all metadata: names and values of any type. */
import { array } from './container/array.ts';
import { dictEntry } from './container/tuple.ts';
import { string } from './string.ts';
import type { Type } from './type.ts';
import { openVariant, type Variant, variant } from './variant.ts';

/** In the order of the bytes, which checksums and signatures cover: never sorted. */
export type Vardict = readonly (readonly [string, Variant])[];

export const vardict: Type<Vardict> = array(dictEntry(string, variant));

/** The first entry of this name; undefined when there is none, or when it is of another type. */
export function lookup<T>(dict: Vardict, key: string, type: Type<T>): T | undefined {
  const found = dict.find(([name]) => name === key);
  return found === undefined ? undefined : openVariant(found[1], type);
}

/** A new dict in which the first entry of this name is replaced where it stands, or else one is appended. */
export function withEntry(dict: Vardict, key: string, value: Variant): Vardict {
  const at = dict.findIndex(([name]) => name === key);
  return at < 0 ? [...dict, [key, value]] : dict.with(at, [key, value]);
}
