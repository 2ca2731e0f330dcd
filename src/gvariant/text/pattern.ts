/** Which types a text may have: from the leaves up, and narrowed where several values must have one type. */
import { textError } from '../error.ts';
import { BASIC } from '../signature.ts';
import type { Node } from './syntax.ts';

type Structure = 'maybe' | 'array' | 'tuple' | 'entry';

type Pattern =
  | { readonly kind: 'any' }
  /** One of these type codes; the first is the one to choose. */
  | { readonly kind: 'one'; readonly codes: string }
  /** The same inside any number of maybes; none is the number to choose. */
  | { readonly kind: 'wrappable'; readonly of: Pattern }
  | { readonly kind: Structure; readonly of: readonly Pattern[] };

const FRAMES: Readonly<Record<Structure, readonly [open: string, close: string]>> = {
  maybe: ['m', ''],
  array: ['a', ''],
  tuple: ['(', ')'],
  entry: ['{', '}'],
};

const ANY: Pattern = { kind: 'any' };
const INTEGER = one('iynquxthd');
const DOUBLE = one('d');
const TEXT = one('sog');
const KEYS = one(BASIC);

/** The type string of a value that nothing else tells the type of. @throws GVariantError GVARIANT_TEXT */
export function inferType(node: Node): string {
  return choose(patternOf(node), node);
}

/** A literal token that only a double can be. */
export function isFraction(token: string): boolean {
  return /\.|inf|nan/.test(token) || (!token.startsWith('0x') && token.includes('e'));
}

function one(codes: string): Pattern {
  return { kind: 'one', codes };
}

function patternOf(node: Node): Pattern {
  switch (node.kind) {
    case 'typed':
      return patternOfType(node.type, 0).pattern;
    case 'maybe':
      return { kind: 'maybe', of: [node.child === undefined ? ANY : patternOf(node.child)] };
    default:
      return { kind: 'wrappable', of: plainPattern(node) };
  }
}

function plainPattern(node: Exclude<Node, { kind: 'typed' | 'maybe' }>): Pattern {
  switch (node.kind) {
    case 'number':
      return isFraction(node.token) ? DOUBLE : INTEGER;
    case 'text':
      return TEXT;
    case 'boolean':
      return one('b');
    case 'variant':
      return one('v');
    case 'bytes':
      return { kind: 'array', of: [one('y')] };
    case 'array':
      return { kind: 'array', of: [common(node.children, node)] };
    case 'tuple':
      return { kind: 'tuple', of: node.children.map(patternOf) };
    case 'entry':
      return { kind: 'entry', of: [keyPattern([node.key], node), patternOf(node.value)] };
    case 'dict':
      return { kind: 'array', of: [dictPattern(node.entries, node)] };
  }
}

/** The first value alone decides about the values: GLib reads it so, and checksums would differ otherwise. */
function dictPattern(entries: readonly (readonly [Node, Node])[], node: Node): Pattern {
  const [first] = entries;
  if (first === undefined) return { kind: 'entry', of: [ANY, ANY] };
  const keys = entries.map(([key]) => key);
  return { kind: 'entry', of: [keyPattern(keys, node), patternOf(first[1])] };
}

function keyPattern(keys: readonly Node[], node: Node): Pattern {
  const pattern = common(keys, node);
  const key = unify(pattern.kind === 'wrappable' ? pattern.of : pattern, KEYS);
  if (key === undefined) throw textError(node.at, 'keys of a basic type');
  return key;
}

function common(nodes: readonly Node[], parent: Node): Pattern {
  return nodes.map(patternOf).reduce((left, right) => {
    const both = unify(left, right);
    if (both === undefined) throw textError(parent.at, 'values of one type');
    return both;
  }, ANY);
}

function unify(a: Pattern, b: Pattern): Pattern | undefined {
  if (a.kind === 'any') return b;
  if (b.kind === 'any') return a;
  if (b.kind === 'wrappable') return a.kind === 'wrappable' ? unifyWrapped(a.of, b.of) : unify(b, a);
  if (a.kind === 'wrappable') return b.kind === 'maybe' ? unifyAll('maybe', [a], b.of) : unify(a.of, b);
  if (a.kind === 'one') return b.kind === 'one' ? intersect(a.codes, b.codes) : undefined;
  return b.kind === a.kind ? unifyAll(a.kind, a.of, b.of) : undefined;
}

function unifyWrapped(a: Pattern, b: Pattern): Pattern | undefined {
  const both = unify(a, b);
  return both === undefined ? undefined : { kind: 'wrappable', of: both };
}

function intersect(a: string, b: string): Pattern | undefined {
  const codes = [...a].filter((code) => b.includes(code)).join('');
  return codes === '' ? undefined : one(codes);
}

function unifyAll(kind: Structure, a: readonly Pattern[], b: readonly Pattern[]): Pattern | undefined {
  const of = a.flatMap((left, i) => unify(left, b[i] ?? left) ?? []);
  return a.length === b.length && of.length === a.length ? { kind, of } : undefined;
}

function choose(pattern: Pattern, node: Node): string {
  switch (pattern.kind) {
    case 'any':
      throw textError(node.at, 'a type: what is empty does not tell its own');
    case 'one':
      return pattern.codes.charAt(0);
    case 'wrappable':
      return choose(pattern.of, node);
    default: {
      const inner = pattern.of.map((part) => choose(part, node)).join('');
      const [open, close] = FRAMES[pattern.kind];
      return open + inner + close;
    }
  }
}

/** A type string, known to be well-formed, as the pattern that only it fits. */
function patternOfType(type: string, at: number): { pattern: Pattern; end: number } {
  const code = type.charAt(at);
  if (code === 'a' || code === 'm') {
    const { pattern, end } = patternOfType(type, at + 1);
    return { pattern: { kind: code === 'a' ? 'array' : 'maybe', of: [pattern] }, end };
  }
  if (code !== '(' && code !== '{') return { pattern: one(code), end: at + 1 };
  const of: Pattern[] = [];
  let next = at + 1;
  while (!')}'.includes(type.charAt(next))) {
    const { pattern, end } = patternOfType(type, next);
    of.push(pattern);
    next = end;
  }
  return { pattern: { kind: code === '(' ? 'tuple' : 'entry', of }, end: next + 1 };
}
