/** Does the base keep what is written to its root only until the next boot? (`ostree-prepare-root`'s configuration) */
import type { MutableTree, ObjectReader } from '../ostree/index.ts';

/** The first one that exists counts alone. */
const CONFIGS = [
  ['usr', 'etc', 'ostree', 'prepare-root.conf'],
  ['etc', 'ostree', 'prepare-root.conf'],
  ['usr', 'lib', 'ostree', 'prepare-root.conf'],
];

/** A larger one is no configuration. */
const LARGEST = 2 ** 16;

export function hasTransientRoot(base: MutableTree, reader: ObjectReader): boolean {
  for (const path of CONFIGS) {
    const found = base.lookup(path);
    if (typeof found === 'string') return isTransient(textOf(reader, found));
  }
  return false;
}

function textOf(reader: ObjectReader, checksum: string): string {
  const stored = reader.file(checksum);
  try {
    if (stored.header.target !== undefined || stored.size > LARGEST) return '';
    return Buffer.from(stored.bytes()).toString('utf8');
  } finally {
    stored.close();
  }
}

/** A key file of GLib: groups in brackets, comments, blanks around `=`; the last word counts. */
function isTransient(text: string): boolean {
  let group = '';
  let value = '';
  for (const line of text.split('\n').map((each) => each.trim())) {
    const header = /^\[([^[\]]+)\]$/.exec(line);
    if (header !== null) group = header[1] ?? '';
    const entry = /^transient\s*=\s*(.*)$/.exec(line);
    if (group === 'root' && entry !== null) value = entry[1] ?? '';
  }
  return value === 'true' || value === '1';
}
