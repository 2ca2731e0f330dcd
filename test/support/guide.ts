/** Guides in docs/ are run: their blocks, in order, in one shell; what they show is compared with what was printed. */

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  /** Of its first line, in the guide. */
  readonly line: number;
  readonly text: string;
}

/** All fenced blocks, in their order. */
export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: text = '', index }) => ({
    language,
    text,
    line: markdown.slice(0, index).split('\n').length + 1,
  }));
}

/** Where a file block is to be written; undefined for all other blocks. */
export function pathOf({ language, text }: Block): string | undefined {
  return language === 'ini' || language === 'nginx' ? /^# (\/\S+)\n/.exec(text)?.[1] : undefined;
}

/** One shell script of everything that is to be run or written, with a marker before each block. */
export function scriptOf(blocks: readonly Block[]): string {
  const steps = blocks.flatMap((block) => {
    const path = pathOf(block);
    const marker = `echo '${markerOf(block)}'\n`;
    if (path !== undefined) return `${marker}cat > '${path}' <<'@@ END'\n${block.text}@@ END\nchmod 644 '${path}'\n`;
    return block.language === 'sh' ? marker + block.text : [];
  });
  return steps.join('');
}

/** What a block printed, given all that its script printed. */
export function printedBy(block: Block, log: string): string {
  const parts = log.split(/^(@@ line \d+ of the guide)\n/m);
  return parts[parts.indexOf(markerOf(block)) + 1] ?? '';
}

const markerOf = ({ line }: Block): string => `@@ line ${line} of the guide`;

/**
 * Lines of a "text" block that the output does not have, in this order. `...` is anything; sizes, digests, times and the
 * widths of columns differ.
 */
export function missingLines(shown: string, printed: string): readonly string[] {
  const lines = printed.split('\n');
  return shown
    .split('\n')
    .filter((line) => line !== '' && line !== '...')
    .filter((line) => {
      const pattern = line
        .replace(/[0-9a-f]{8}\.\.\./g, '...')
        .replace(/[0-9]{4}([/-])[0-9]{2}\1[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}/g, '...')
        .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replace(/\\\.\\\.\\\./g, '.*')
        .replace(/[0-9]+(\\\.[0-9]+)?\s[kKMG]?i?B\b/g, '[0-9.]+\\s[kKMG]?i?B')
        .replace(/ {2,}/g, ' {2,}');
      const at = lines.findIndex((each) => new RegExp(`^${pattern}$`).test(each));
      lines.splice(0, at + 1);
      return at === -1;
    });
}

/** What is wrong with the blocks of a guide: of no known kind, or output of no command. */
export function blockFaults(blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap((block, i) => {
    const { language, line } = block;
    if (language === 'ini' || language === 'nginx') return pathOf(block) === undefined ? `line ${line}: no path` : [];
    if (language === 'text') return blocks[i - 1]?.language === 'sh' ? [] : `line ${line}: output of what?`;
    return language === 'sh' || language === 'console' ? [] : `line ${line}: a block of kind "${language}"`;
  });
}
