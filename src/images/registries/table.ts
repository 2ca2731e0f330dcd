/** Values of a TOML file, strictly by type; keys that nobody knows are passed over, as the containers tools do. */
import { decodeUtf8 } from '../../base/decode.ts';
import { printable, quote } from '../../base/text.ts';
import { ImagesError } from '../error.ts';

/**
 * One table of a file. Every method gives undefined where the key is absent.
 * @throws ImagesError BAD_REGISTRIES_CONF, naming file and key
 */
export class Table {
  readonly path: string;
  readonly #at: string;
  readonly #entries: ReadonlyMap<string, unknown>;

  constructor(path: string, at: string, value: object) {
    this.path = path;
    this.#at = at;
    this.#entries = new Map(Object.entries(value));
  }

  text(key: string): string | undefined {
    return this.#read(key, 'a string', (value) => (typeof value === 'string' ? value : undefined));
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  texts(key: string): readonly string[] | undefined {
    return this.#read(key, 'a list of strings', (value) =>
      Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined,
    );
  }

  table(key: string): Table | undefined {
    return this.#read(key, 'a table', (value) =>
      isTable(value) ? new Table(this.path, this.#name(key), value) : undefined,
    );
  }

  tables(key: string): readonly Table[] | undefined {
    return this.#read(key, 'a list of tables', (value) =>
      Array.isArray(value) && value.every(isTable)
        ? value.map((one, i) => new Table(this.path, `${this.#name(key)}[${i}]`, one))
        : undefined,
    );
  }

  /** All keys of this table, with a string each. */
  textMap(): ReadonlyMap<string, string> {
    return new Map([...this.#entries.keys()].map((key) => [key, this.text(key) ?? '']));
  }

  /** What is wrong with the value of a key. */
  bad(key: string, why: string): ImagesError {
    return badConf(this.path, `${this.#name(key)}: ${why}`);
  }

  #name(key: string): string {
    return this.#at === '' ? printable(key) : `${this.#at}.${printable(key)}`;
  }

  /** A key in another case counts where there is none in this: so it is in the tools that are written in Go. */
  #read<T>(key: string, expected: string, convert: (value: unknown) => T | undefined): T | undefined {
    const lower = key.toLowerCase();
    const value =
      this.#entries.get(key) ?? [...this.#entries].find(([other]) => other.toLowerCase() === lower)?.[1] ?? undefined;
    if (value === undefined) return undefined;
    const converted = convert(value);
    if (converted === undefined) throw this.bad(key, `expected ${expected}, found ${kindOf(value)}`);
    return converted;
  }
}

/** @throws ImagesError BAD_REGISTRIES_CONF */
export async function parseToml(path: string, bytes: Uint8Array): Promise<Table> {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw badConf(path, 'expected UTF-8');
  const { parse, TomlError } = await import('smol-toml'); // only where there is such a file
  try {
    return new Table(path, '', parse(text));
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw badConf(path, 'is not TOML', cause);
    const [why = 'is not TOML'] = cause.message.split('\n'); // the lines of the file follow
    throw badConf(path, `line ${cause.line}: ${why.replace('Invalid TOML document: ', '')}`);
  }
}

export function badConf(path: string, why: string, cause?: unknown): ImagesError {
  return new ImagesError('BAD_REGISTRIES_CONF', `${printable(path)}: ${why}`, { cause, subject: path });
}

function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'a list';
  return value instanceof Date ? 'a date' : isTable(value) ? 'a table' : String(value);
}
