/** Names of a tar, changed on the way in. */
import { quote } from '../../base/text.ts';

/**
 * `REGEX,REPLACEMENT` as libostree has it: every match in a path is replaced; `\1` and `\g<1>` are groups, `\0` all.
 * @throws SyntaxError without a comma, and for an expression that JavaScript does not know
 */
export function pathnameFilter(text: string): (path: string) => string {
  const comma = text.indexOf(',');
  if (comma === -1) throw new SyntaxError(`expected REGEX,REPLACEMENT, found ${quote(text)}`);
  const pattern = new RegExp(text.slice(0, comma), 'gu');
  const replacement = text
    .slice(comma + 1)
    .replaceAll('$', '$$$$')
    .replace(/\\(?:g<)?([0-9])>?/g, (_, digit: string) => (digit === '0' ? '$&' : `$${digit}`));
  return (path) => path.replace(pattern, replacement);
}
