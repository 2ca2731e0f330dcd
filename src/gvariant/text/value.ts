/** A syntax tree as the value of a given type, in the shape which the codec of that type takes. */
import { textError } from '../error.ts';
import type { Type } from '../type.ts';
import { parseType, type Variant, variantOf } from '../variant.ts';
import { parseNumber } from './literal.ts';
import { inferType } from './pattern.ts';
import type { Node } from './syntax.ts';

export function build(node: Node, type: Type<unknown>): unknown {
  if (node.kind === 'typed') return build(node.child, type);
  if (type.form.kind === 'maybe') return maybeOf(node, type.form.element);
  switch (node.kind) {
    case 'number':
      return parseNumber(node.token, type.signature, node.at);
    case 'text':
      return 'sog'.includes(type.signature) ? node.text : misfit(node, type);
    case 'boolean':
      return type.signature === 'b' ? node.value : misfit(node, type);
    case 'bytes':
      return type.signature === 'ay' ? node.bytes : misfit(node, type);
    case 'variant':
      return type.form.kind === 'variant' ? variantIn(node.child) : misfit(node, type);
    case 'array':
      return arrayOf(node, node.children, type);
    case 'tuple':
      return membersOf(node, node.children, 'tuple', type);
    case 'entry':
      return membersOf(node, [node.key, node.value], 'entry', type);
    case 'dict':
      return dictOf(node, node.entries, type);
    case 'maybe':
      return misfit(node, type);
  }
}

/** A value that decides about its type itself. */
export function variantIn(node: Node): Variant {
  const type = parseType(inferType(node));
  return variantOf(type, build(node, type));
}

function misfit(node: Node, type: Type<unknown>): never {
  throw textError(node.at, `a value of type ${type.signature}`);
}

/** `just` may be left out. */
function maybeOf(node: Node, element: Type<unknown>): { just: unknown } | undefined {
  if (node.kind !== 'maybe') return { just: build(node, element) };
  return node.child === undefined ? undefined : { just: build(node.child, element) };
}

function arrayOf(node: Node, children: readonly Node[], type: Type<unknown>): unknown {
  if (type.form.kind !== 'array') return misfit(node, type);
  const { element } = type.form;
  const values = children.map((child) => build(child, element));
  return element.signature === 'y' ? Uint8Array.from(values.map(Number)) : values;
}

function membersOf(node: Node, children: readonly Node[], kind: 'tuple' | 'entry', type: Type<unknown>): unknown {
  const { form } = type;
  if (form.kind !== kind || form.members.length !== children.length) return misfit(node, type);
  return form.members.map((member, i) => build(children[i] ?? node, member));
}

function dictOf(node: Node, entries: readonly (readonly [Node, Node])[], type: Type<unknown>): unknown {
  if (type.form.kind !== 'array') return misfit(node, type);
  const { element } = type.form;
  return entries.map((entry) => membersOf(node, entry, 'entry', element));
}
