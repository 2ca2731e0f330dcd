/**
 * A unit as systemd reads it, as far as sections, keys and values go; what they mean is for whoever asks.
 * Source: systemd.syntax(7), systemd.unit(5) "[Install] Section Options".
 */
export interface UnitFile {
  readonly entries: readonly UnitEntry[];
  /** Values of a key in the order of the file, each as written; an empty one drops those before it. */
  values(section: string, key: string): readonly string[];
  /** The last of them; undefined when there is none. */
  value(section: string, key: string): string | undefined;
}

export interface UnitEntry {
  readonly section: string;
  readonly key: string;
  /** Continued lines are joined by a space. */
  readonly value: string;
  /** Number of its first line, from 1 on. */
  readonly line: number;
}

export interface InstallNames {
  readonly alias: readonly string[];
  readonly also: readonly string[];
  readonly requiredBy: readonly string[];
  readonly wantedBy: readonly string[];
  /** Since systemd 252. */
  readonly upheldBy: readonly string[];
}

/** Lines that systemd would skip are skipped. Bytes that are no UTF-8 come as replacement characters. */
export function parseUnit(bytes: Uint8Array): UnitFile {
  const entries: UnitEntry[] = [];
  let section = '';
  for (const { text, line } of joinedLines(Buffer.from(bytes).toString('utf8'))) {
    const header = /^\[(.*)\]$/.exec(text)?.[1];
    if (header !== undefined) section = header;
    const at = text.indexOf('=');
    if (header !== undefined || at < 0) continue;
    entries.push({ section, key: text.slice(0, at).trimEnd(), value: text.slice(at + 1).trim(), line });
  }
  const values = (wanted: string, key: string): string[] => {
    const all = entries.filter((entry) => entry.section === wanted && entry.key === key).map(({ value }) => value);
    return all.slice(all.lastIndexOf('') + 1);
  };
  return { entries, values, value: (wanted, key) => values(wanted, key).at(-1) };
}

/** Of the section [Install]; an empty value takes nothing back there, so none is left out. */
export function installNames(unit: UnitFile): InstallNames {
  const words = (key: string): string[] =>
    unit.entries
      .filter((entry) => entry.section === 'Install' && entry.key === key)
      .flatMap(({ value }) => value.split(/\s+/).filter((word) => word !== ''));
  return {
    alias: words('Alias'),
    also: words('Also'),
    requiredBy: words('RequiredBy'),
    wantedBy: words('WantedBy'),
    upheldBy: words('UpheldBy'),
  };
}

/** A backslash at the end of a line continues it; comments between are left out, and end nothing. */
function joinedLines(text: string): { readonly text: string; readonly line: number }[] {
  const found: { text: string; line: number }[] = [];
  let pending: { text: string; line: number } | undefined;
  for (const [i, raw] of text.split('\n').entries()) {
    const trimmed = raw.trim();
    if (trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
    const current =
      pending === undefined ? { text: trimmed, line: i + 1 } : { ...pending, text: pending.text + raw.trimEnd() };
    pending = undefined;
    if (current.text.endsWith('\\')) pending = { ...current, text: `${current.text.slice(0, -1)} ` };
    else if (current.text !== '') found.push(current);
  }
  if (pending !== undefined) found.push(pending);
  return found;
}
