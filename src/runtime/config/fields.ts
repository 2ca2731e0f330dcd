/** Fields of a runtime configuration, strictly by type; null stands for an absent one, as for runc. */
import { quote } from '../../base/text.ts';
import { ConfigError } from '../error.ts';
import { type ExactJson, type ExactObject, isExactObject } from './exact-json.ts';

/** Reads the fields of one object. All of it throws ConfigError, naming the field. */
export interface FieldReader {
  text(name: string): string | undefined;
  flag(name: string): boolean | undefined;
  /** A user or group id. */
  id(name: string): number | undefined;
  /** Empty when there is no such field; so are the other lists. */
  texts(name: string): readonly string[];
  object(name: string, known: readonly string[]): FieldReader | undefined;
  objects(name: string, known: readonly string[]): readonly FieldReader[];
  names(): readonly string[];
  /** Absent, null, or a list or object without elements. */
  isEmpty(name: string): boolean;
}

const HIGHEST_ID = 2 ** 32 - 2;

/** @param known names of fields; one that differs from them in case alone is refused */
export function fieldsOf(object: ExactObject, what: string, known: readonly string[]): FieldReader {
  assertSpelling(object, what, known);
  const get = (name: string): ExactJson | undefined =>
    Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined;
  const read = <T>(name: string, expected: string, is: (value: ExactJson) => value is ExactJson & T): T | undefined => {
    const value = get(name);
    if (value === undefined || is(value)) return value;
    throw new ConfigError(`${what}: field ${name}: expected ${expected}, found ${describe(value)}`, { subject: what });
  };
  return {
    text: (name) => read(name, 'a string', isText),
    flag: (name) => read(name, 'true or false', (value) => typeof value === 'boolean'),
    id: (name) => read(name, `a number from 0 to ${HIGHEST_ID}`, isId),
    texts: (name) => read(name, 'a list of strings', isTexts) ?? [],
    object: (name, fields) => {
      const value = read(name, 'an object', isExactObject);
      return value && fieldsOf(value, `${what}: ${name}`, fields);
    },
    objects: (name, fields) =>
      (read(name, 'a list of objects', isObjects) ?? []).map((each, i) =>
        fieldsOf(each, `${what}: ${name}[${i}]`, fields),
      ),
    names: () => Object.keys(object),
    isEmpty: (name) => {
      const value = get(name);
      return value === undefined || (Array.isArray(value) ? value.length === 0 : isEmptyObject(value));
    },
  };
}

function assertSpelling(object: ExactObject, what: string, known: readonly string[]): void {
  const folded = new Map(known.map((name) => [fold(name), name]));
  for (const name of Object.keys(object)) {
    const meant = folded.get(fold(name));
    if (meant === undefined || meant === name) continue;
    throw new ConfigError(`${what}: expected field ${quote(meant)}, found ${quote(name)}`, { subject: what });
  }
}

/** As Go compares the names of fields: simple case folding, in which a long s is an s. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

const isText = (value: ExactJson): value is string => typeof value === 'string';
const isId = (value: ExactJson): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= HIGHEST_ID;
const isTexts = (value: ExactJson): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isObjects = (value: ExactJson): value is readonly ExactObject[] =>
  Array.isArray(value) && value.every(isExactObject);
const isEmptyObject = (value: ExactJson): boolean => isExactObject(value) && Object.keys(value).length === 0;

function describe(value: ExactJson): string {
  if (Array.isArray(value)) return 'a list';
  return isExactObject(value) ? 'an object' : `a ${typeof value === 'object' ? 'number' : typeof value}`;
}
