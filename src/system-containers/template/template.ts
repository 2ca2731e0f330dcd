/**
 * A template: bytes in which `$NAME` and `${NAME}` stand for values, and `$$` for a dollar sign.
 *
 * NAME is `[A-Za-z_][A-Za-z0-9_]*`, as long as it can be; any other dollar is an error. Values are inserted as they are,
 * neither expanded again nor escaped. What is not a dollar is passed on, whatever its encoding.
 * Source: `string.Template` of Python, which published images were written for; the tests ask it.
 */
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';
import { missingIn } from './missing.ts';

export type Values = ReadonlyMap<string, string>;

export interface Template {
  /** For messages: where it lies in the image. */
  readonly file: string;
  readonly pieces: readonly Piece[];
}

/** `line` is where it begins, counted from 1. */
export type Piece =
  | { readonly kind: 'text'; readonly bytes: Uint8Array; readonly line: number }
  | { readonly kind: 'variable'; readonly name: string; readonly line: number };

const PLACEHOLDER = /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})?/g;
/** Published templates have a few dozen. */
const VARIABLES_LIMIT = 10_000;
/** A small template with a large value in many places must not fill the memory. */
const RESULT_LIMIT = 64 * 2 ** 20;

/** @throws ContainerError BAD_TEMPLATE with file and line */
export function parseTemplate(bytes: Uint8Array, file: string): Template {
  const text = latin1(bytes);
  const pieces: Piece[] = [];
  let [from, line, count] = [0, 1, 0];
  const take = (end: number): void => {
    if (end > from) pieces.push({ kind: 'text', bytes: bytes.subarray(from, end), line });
    line += newlinesIn(text, from, end);
    from = end;
  };
  for (const { 0: found, 1: escaped, 2: named, 3: braced, index } of text.matchAll(PLACEHOLDER)) {
    take(escaped === undefined ? index : index + 1); // the first of two dollars is text
    const name = named ?? braced;
    if (name !== undefined) pieces.push({ kind: 'variable', name, line });
    else if (escaped === undefined) throw badDollar(file, line, text.slice(index, index + 12));
    from = index + found.length;
    if (++count > VARIABLES_LIMIT) {
      throw new ContainerError('BAD_TEMPLATE', `${file}: more than ${VARIABLES_LIMIT} variables`, { subject: file });
    }
  }
  take(text.length);
  return { file, pieces };
}

export function variablesIn(template: Template): ReadonlySet<string> {
  return new Set(template.pieces.flatMap((piece) => (piece.kind === 'variable' ? [piece.name] : [])));
}

/** @throws ContainerError MISSING_VARIABLES, BAD_TEMPLATE when the result gets too large */
export function substitute(template: Template, values: Values): Uint8Array {
  return Buffer.concat(substitutedPieces(template, values));
}

/** What each piece becomes, in their order. @throws as `substitute` does */
export function substitutedPieces(template: Template, values: Values): readonly Uint8Array[] {
  missingIn([{ file: template.file, template }], values);
  const encoded = new Map([...variablesIn(template)].map((name) => [name, Buffer.from(values.get(name) ?? '')]));
  let size = 0;
  return template.pieces.map((piece) => {
    const bytes = piece.kind === 'text' ? piece.bytes : (encoded.get(piece.name) ?? new Uint8Array());
    size += bytes.length;
    if (size <= RESULT_LIMIT) return bytes;
    throw new ContainerError('BAD_TEMPLATE', `${template.file}: larger than ${RESULT_LIMIT} bytes with its values`);
  });
}

/** The same for a text, such as a path to rename to. @param what for messages */
export function substituteText(text: string, what: string, values: Values): string {
  return Buffer.from(substitute(parseTemplate(Buffer.from(text), what), values)).toString();
}

/** Could this name be used in a template? */
export function isVariableName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/** One character for each byte: positions are those of the bytes. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function newlinesIn(text: string, from: number, end: number): number {
  return text.slice(from, end).split('\n').length - 1;
}

function badDollar(file: string, line: number, found: string): ContainerError {
  const shown = quote(found.split('\n', 1)[0] ?? '');
  const text = `${file} line ${line}: expected the name of a variable, {NAME} or another dollar after "$", found ${shown}`;
  return new ContainerError('BAD_TEMPLATE', text, { subject: file, hint: 'write $$ for a dollar sign' });
}
