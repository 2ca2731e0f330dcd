/**
 * The headers in an `rpmdb.sqlite`, the database of rpm since 4.16.
 *
 * SQLite reads it in WebAssembly. A database is also a program: names may stand for queries that never end, columns for
 * expressions, and pages may lead in circles. So only a plain table with plain columns is read, no more bytes than the
 * file has, with bounded memory, and not for long.
 */
import { codeOf } from '../../../../base/error.ts';
import { damaged } from '../../error.ts';
import { withDeadline } from './deadline.ts';
import { Refused, rpmHeaders, type SqlDatabase } from './headers-table.ts';

/** All of Fedora's desktop takes about 100 MiB. */
export const RPMDB_LIMIT = 256 * 2 ** 20;
/** A large database takes half a second. */
const DEADLINE_MS = 30_000;

/** SQLite was stopped somewhere, or out of memory: nobody knows what its memory holds. */
let isBroken = false;

/**
 * One header for each package, in the order of installation.
 * @throws PackingError PACKAGE_DATABASE; also for every later database in this process when one ran into the deadline
 */
export async function readRpmHeaders(file: Uint8Array, what: string, deadlineMs = DEADLINE_MS): Promise<Uint8Array[]> {
  if (isBroken) throw damaged(what, 'SQLite as it was started', 'one that was stopped in another database');
  const { default: initSqlJs } = await import('sql.js/dist/sql-wasm-inline.js'); // 1 MB, only where there is such a file
  const { Database } = await initSqlJs({ useOldExtensionFunctions: false });
  try {
    return withDeadline(() => withDatabase(new Database(file), (db) => rpmHeaders(db, file.length)), deadlineMs);
  } catch (error) {
    if (error instanceof Refused) throw damaged(what, error.expected, error.found);
    const isLate = codeOf(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    isBroken = isLate || isCrash(error);
    const expected = isLate ? `a database that is read in ${deadlineMs / 1000} seconds` : 'a database of rpm';
    throw damaged(what, expected, isLate ? 'one that takes longer' : 'none that SQLite can read', error);
  }
}

function withDatabase<T>(database: SqlDatabase, work: (database: SqlDatabase) => T): T {
  const result = work(database); // after an error it may not be able to close any more, and ends with the program
  database.close();
  return result;
}

/** Of WebAssembly, such as at the end of its memory. */
function isCrash(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}
