/** The table of rpm's headers, through SQL. What is asked can be answered in one pass over the rows. */

export type SqlDatabase = import('sql.js/dist/sql-wasm-inline.js').Database;

/** What is wrong, without the file: thrown inside, told outside. */
export class Refused extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(found);
    this.expected = expected;
    this.found = found;
  }
}

const MOST_PACKAGES = 200_000;
const MOST_COLUMNS = 100;
/** Of SQLite, without the file and what has been handed out; one header at a time is in it. */
const HEAP_LIMIT = 512 * 2 ** 20;

/** @param size of the file in bytes: all headers together have no more. @throws Refused, and errors of SQLite */
export function rpmHeaders(database: SqlDatabase, size: number): Uint8Array[] {
  firstRow(database, `PRAGMA hard_heap_limit = ${HEAP_LIMIT}`);
  firstRow(database, 'PRAGMA trusted_schema = 0');
  assertPlainTable(database);
  let left = size;
  for (const [length] of rows(database, 'SELECT length(blob) FROM Packages', MOST_PACKAGES)) {
    left -= typeof length === 'number' ? length : 0;
    if (left < 0) throw new Refused('headers that fit into the file', 'more bytes');
  }
  return [...rows(database, 'SELECT blob FROM Packages ORDER BY hnum', MOST_PACKAGES)].map(([blob]) => {
    if (!(blob instanceof Uint8Array)) throw new Refused('a header in each row', 'another value');
    return blob;
  });
}

/** Views, virtual tables and computed columns could be queries of anybody's making. */
function assertPlainTable(database: SqlDatabase): void {
  const [, , type] = firstRow(database, 'PRAGMA main.table_list(Packages)');
  if (type !== 'table') throw new Refused('a table "Packages"', type === undefined ? 'none' : `a ${String(type)}`);
  const columns = [...rows(database, 'PRAGMA main.table_xinfo(Packages)', MOST_COLUMNS)];
  const plain = columns.filter(([, , , , , , hidden]) => hidden === 0).map(([, name]) => name);
  for (const name of ['hnum', 'blob']) {
    if (!plain.includes(name)) throw new Refused(`a column "${name}" of values`, 'none, or a computed one');
  }
}

function firstRow(database: SqlDatabase, sql: string): readonly unknown[] {
  const [row = []] = rows(database, sql, MOST_COLUMNS);
  return row;
}

function* rows(database: SqlDatabase, sql: string, most: number): Generator<readonly unknown[]> {
  const statement = database.prepare(sql);
  for (let count = 0; statement.step(); count++) {
    if (count >= most) throw new Refused(`at most ${most} rows`, 'more');
    yield statement.get();
  }
  statement.free();
}
