/**
 * Templates whose result is the configuration of a container. Values go in without escaping (`ADDTL_MOUNTS` of published
 * images is raw JSON), so the result is read at once, and what is wrong is told in terms of the template: its line, and
 * the variables whose values stand there.
 */
import { explain } from '../../base/error.ts';
import { ConfigError, parseRuntimeConfig, type RuntimeConfig } from '../../runtime/index.ts';
import { latin1, newlinesIn, type Piece, substitutedPieces, type Template, type Values } from './template.ts';

/** @throws ConfigError BAD_CONTAINER_CONFIG; ContainerError MISSING_VARIABLES, BAD_TEMPLATE */
export function substituteConfig(template: Template, values: Values): RuntimeConfig {
  const results = substitutedPieces(template, values);
  try {
    return parseRuntimeConfig(Buffer.concat(results), template.file);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.line === undefined) throw error;
    throw inTermsOf(template, results, error.line, error);
  }
}

/** A piece, and the lines of the result that it reaches from and to. */
interface Placed {
  readonly piece: Piece;
  readonly first: number;
  readonly last: number;
}

function inTermsOf(template: Template, results: readonly Uint8Array[], line: number, cause: ConfigError): ConfigError {
  const placed = place(template, results);
  const names = variablesAt(placed, line);
  const reason = explain(cause).replace(/^.*? line [0-9]+: /, '');
  const details = { subject: template.file, line: lineInTemplate(placed, line) };
  const where = `${template.file} line ${details.line}`;
  if (names.length === 0) return new ConfigError(`${where}: ${reason}`, details);
  const hint = `look at the value of ${names.join(' and ')}: it is inserted as it is, quotes and all`;
  return new ConfigError(`${where}: no JSON with the value of ${names.join(', ')}: ${reason}`, { ...details, hint });
}

function place(template: Template, results: readonly Uint8Array[]): readonly Placed[] {
  let line = 1;
  return template.pieces.map((piece, i) => {
    const text = latin1(results[i] ?? new Uint8Array());
    const first = line;
    line += newlinesIn(text, 0, text.length);
    return { piece, first, last: line };
  });
}

/** Those that reach into the line; where there is none, the last one before it: its value may lack a bracket. */
function variablesAt(placed: readonly Placed[], line: number): readonly string[] {
  const variables = placed.flatMap(({ piece, ...lines }) =>
    piece.kind === 'variable' ? [{ ...piece, ...lines }] : [],
  );
  const here = variables.filter(({ first, last }) => first <= line && line <= last);
  const near = here.length > 0 ? here : variables.filter(({ last }) => last < line).slice(-1);
  return [...new Set(near.map(({ name }) => name))];
}

function lineInTemplate(placed: readonly Placed[], line: number): number {
  const covering = placed.find(({ first, last }) => first <= line && line <= last);
  if (covering === undefined) return line;
  return covering.piece.kind === 'variable' ? covering.piece.line : covering.piece.line + line - covering.first;
}
