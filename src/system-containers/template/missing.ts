/** What has to hold of values before anything is written with them; all that is wrong is named at once. */
import { plural } from '../../base/text.ts';
import { ContainerError } from '../error.ts';
import type { Piece, Template, Values } from './template.ts';

export interface NamedTemplate {
  /** For messages. */
  readonly file: string;
  readonly template: Template;
}

type Variable = Extract<Piece, { kind: 'variable' }>;

/** More of them help nobody, and an image could have millions. */
const SHOWN = 50;
const PLACES_SHOWN = 3;

/**
 * Every variable of these templates has a value.
 * @throws ContainerError MISSING_VARIABLES with all that have none, the places where they are used, and how to set them
 */
export function missingIn(templates: readonly NamedTemplate[], values: Values): void {
  const places = namesMissingIn(templates, values);
  if (places.size === 0) return;
  const shown = [...places].slice(0, SHOWN);
  const more = places.size > SHOWN ? [`${places.size - SHOWN} more`] : [];
  const list = [...shown.map(([name, where]) => `${name} (${listPlaces(where)})`), ...more].join(', ');
  const options = shown.map(([name]) => `--set ${name}=VALUE`).join(' ');
  throw new ContainerError('MISSING_VARIABLES', `no value for ${plural(places.size, 'variable')}: ${list}`, {
    hint: `give each of them a value: ${options}`,
  });
}

/** Names in the order in which they are first met, with the places where they stand: `service.template line 3`. */
export function namesMissingIn(
  templates: readonly NamedTemplate[],
  values: Values,
): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>();
  for (const { file, template } of templates) {
    for (const { name, line } of variablesOf(template)) {
      if (values.has(name)) continue;
      const known = places.get(name) ?? [];
      places.set(name, known);
      const place = `${file} line ${line}`;
      if (known.at(-1) !== place) known.push(place);
    }
  }
  return places;
}

/**
 * Units and tmpfiles fragments are read line by line: a value that ends its line, or joins the next one to it, brings
 * directives of its own. An image may do so, since it could have written them; `--set` must not by accident.
 * @param given names of the values that the user gave
 * @throws ContainerError BAD_VALUE
 */
export function assertNoInjectedLines(
  templates: readonly NamedTemplate[],
  values: Values,
  given: { has(name: string): boolean },
): void {
  for (const { file, template } of templates) {
    for (const { name, line } of variablesOf(template)) {
      if (!given.has(name) || !/[\n\r\0]|\\$/.test(values.get(name) ?? '')) continue;
      const text = `value of ${name}: it has several lines, or ends in a backslash, and stands in ${file} line ${line}`;
      throw new ContainerError('BAD_VALUE', text, { subject: name, hint: 'give it a value of a single line' });
    }
  }
}

function variablesOf(template: Template): readonly Variable[] {
  return template.pieces.filter((piece) => piece.kind === 'variable');
}

function listPlaces(places: readonly string[]): string {
  const more = places.length > PLACES_SHOWN ? [`${places.length - PLACES_SHOWN} more`] : [];
  return [...places.slice(0, PLACES_SHOWN), ...more].join(', ');
}
