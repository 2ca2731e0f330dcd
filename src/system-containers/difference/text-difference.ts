/** Two texts, line by line: which lines went and which came. Where they stood is of no interest. */

export interface TextDifference {
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Each in the order of its text; a line that is there twice counts twice. */
export function diffLines(before: string, after: string): TextDifference {
  return { removed: without(linesOf(before), linesOf(after)), added: without(linesOf(after), linesOf(before)) };
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    if (count > 0) left.set(line, count - 1);
    return count === 0;
  });
}
