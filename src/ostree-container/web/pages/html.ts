/** HTML in which everything that is put in is escaped, unless it was made here. */
import { printable } from '../../../base/text.ts';

/** Markup that is safe to send. Made by `html` only. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Content = string | number | Html | readonly Content[] | undefined;

/** Foreign text goes in as text: no markup, nothing that changes the direction of writing, nothing invisible. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  let markup = parts[0] ?? '';
  for (const [i, value] of values.entries()) markup += markupOf(value) + (parts[i + 1] ?? '');
  return new Html(markup);
}

function markupOf(value: Content): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Lines stay lines. */
function escaped(text: string): string {
  const lines = text.split('\n').map(printable).join('\n');
  return lines.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}
