/** Headers of rpm packages, and databases that rpm would not make. */
import initSqlJs from 'sql.js/dist/sql-wasm-inline.js';

interface Value {
  readonly type: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Where it claims to be, instead of where it is. */
  readonly offset?: number;
}

export function text(value: string): Value {
  return { type: 6, count: 1, bytes: Buffer.from(`${value}\0`) };
}

export function texts(...values: readonly string[]): Value {
  return { type: 8, count: values.length, bytes: Buffer.from(values.map((value) => `${value}\0`).join('')) };
}

export function uint32s(...values: readonly number[]): Value {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return { type: 4, count: values.length, bytes };
}

/** Two files, by the numbers of the tags. */
export const PACKAGE: Readonly<Record<number, Value>> = {
  1000: text('hello'),
  1001: text('1.0'),
  1002: text('3'),
  1003: uint32s(2),
  1006: uint32s(2000),
  1022: text('x86_64'),
  1044: text('hello-source-1.0-3.src.rpm'),
  1080: uint32s(1500, 1000),
  1116: uint32s(0, 1),
  1117: texts('hello.conf', 'hello'),
  1118: texts('/etc/', '/usr/bin/'),
};

/** @param padding bytes behind the last value: a text without its end must not find one there by accident */
export function headerOf(values: Readonly<Record<number, Value | undefined>>, padding = 1): Buffer {
  const index: Buffer[] = [];
  const store: Uint8Array[] = [];
  let at = 0;
  // In reverse, so that the name comes last.
  for (const [tag, value] of Object.entries(values).reverse()) {
    if (value === undefined) continue;
    const entry = Buffer.alloc(16);
    for (const [i, number] of [Number(tag), value.type, value.offset ?? at, value.count].entries()) {
      entry.writeUInt32BE(number, 4 * i);
    }
    index.push(entry);
    store.push(value.bytes);
    at += value.bytes.length;
  }
  const head = Buffer.alloc(8);
  head.writeUInt32BE(index.length, 0);
  head.writeUInt32BE(at + padding, 4);
  return Buffer.concat([head, ...index, ...store, Buffer.alloc(padding)]);
}

/** What SQLite makes of these statements. */
export async function databaseOf(...statements: readonly string[]): Promise<Buffer> {
  const { Database } = await initSqlJs();
  const database = new Database();
  for (const sql of statements) {
    const statement = database.prepare(sql);
    while (statement.step());
    statement.free();
  }
  const bytes = Buffer.from(database.export());
  database.close();
  return bytes;
}

export const TABLE = 'CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)';

export function insertion(header: Uint8Array): string {
  return `INSERT INTO Packages (blob) VALUES (x'${Buffer.from(header).toString('hex')}')`;
}
