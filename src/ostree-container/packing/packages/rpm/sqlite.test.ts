import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codeOf } from '../../../../base/error.ts';
import { PackingError } from '../../error.ts';
import { databaseOf, headerOf, insertion, PACKAGE, TABLE, text } from './rpm.fixture.ts';
import { readRpmHeaders } from './sqlite.ts';

const PAGE = 4096;

/** An interior page of a table, whose children are all this one. */
function interior(child: number, cells: number): Buffer {
  const page = Buffer.alloc(PAGE);
  page[0] = 5;
  page.writeUInt16BE(cells, 3);
  page.writeUInt16BE(PAGE - 5 * cells, 5);
  page.writeUInt32BE(child, 8);
  for (let i = 0; i < cells; i++) {
    const at = PAGE - 5 * (i + 1);
    page.writeUInt16BE(at, 12 + 2 * i);
    page.writeUInt32BE(child, at);
    page[at + 4] = i; // the key
  }
  return page;
}

/** A leaf of a table with row 1: no value for the number of the row, and so many zeros for the header. */
function leaf(size: number): Buffer {
  const varint = (value: number): number[] => [0x80 | (value >> 7), value & 0x7f]; // in two bytes, below 16384
  const row = Buffer.concat([
    Buffer.from([...varint(4 + size), 1, 4, 0, ...varint(12 + 2 * size)]),
    Buffer.alloc(size),
  ]);
  const page = Buffer.alloc(PAGE);
  page[0] = 13;
  page.writeUInt16BE(1, 3);
  page.writeUInt16BE(PAGE - row.length, 5);
  page.writeUInt16BE(PAGE - row.length, 8);
  row.copy(page, PAGE - row.length);
  return page;
}

/** The table's pages in layers, each leading to the next by every one of its cells; the last has one row. */
async function webOfPages(depth: number, cells: number, size = 0): Promise<Buffer> {
  const file = await databaseOf(TABLE, insertion(Buffer.alloc(3 * PAGE * depth))); // a file that is large enough
  for (let i = 0; i < depth; i++) interior(3 + i, cells).copy(file, PAGE * (1 + i));
  leaf(size).copy(file, PAGE * (1 + depth));
  return file;
}

describe('the SQLite database of rpm', () => {
  it('gives a header for each package, in the order of installation', async () => {
    const headers = ['a', 'b', 'c'].map((name) => headerOf({ ...PACKAGE, 1000: text(name) }));
    const found = await readRpmHeaders(await databaseOf(TABLE, ...headers.map(insertion)), 'db');
    assert.deepEqual(
      found.map((header) => Buffer.from(header)),
      headers,
    );
  });

  it('may be empty', async () => assert.deepEqual(await readRpmHeaders(await databaseOf(TABLE), 'db'), []));

  for (const [what, statements] of [
    ['without the table', ['CREATE TABLE Other (hnum, blob)']],
    ['where it is a query', ['CREATE TABLE t (x)', "CREATE VIEW Packages AS SELECT 1 AS hnum, x'00' AS blob"]],
    [
      'with a query that never ends',
      [
        'CREATE VIEW Packages AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT x AS hnum, x AS blob FROM c',
      ],
    ],
    [
      'with an expression for the headers',
      [
        'CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob AS (zeroblob(500000000)))',
        'INSERT INTO Packages DEFAULT VALUES',
      ],
    ],
    [
      'with an expression that looks like a header',
      ["CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob AS (x'00'))", 'INSERT INTO Packages DEFAULT VALUES'],
    ],
    ['without the headers', ['CREATE TABLE Packages (hnum INTEGER PRIMARY KEY)']],
    ['with text for a header', [TABLE, "INSERT INTO Packages (blob) VALUES ('text')"]],
  ] as const) {
    it(`is refused ${what}`, async () => {
      await assert.rejects(readRpmHeaders(await databaseOf(...statements), 'db'), { code: 'PACKAGE_DATABASE' });
    });
  }

  it('is refused where the schema says "table" and means a query', async () => {
    const file = await databaseOf(
      TABLE,
      'PRAGMA writable_schema = 1',
      `UPDATE sqlite_master SET sql = 'CREATE VIEW Packages AS SELECT 1 AS hnum, zeroblob(9) AS blob' WHERE name = 'Packages'`,
    );
    await assert.rejects(readRpmHeaders(file, 'db'), { code: 'PACKAGE_DATABASE' });
  });

  for (const [what, bytes] of [
    ['of zeros', Buffer.alloc(8192)],
    ['of another format', Buffer.from('#!/bin/sh\n'.repeat(100))],
  ] as const) {
    it(`is refused when it is a file ${what}`, async () => {
      await assert.rejects(readRpmHeaders(bytes, 'db'), { code: 'PACKAGE_DATABASE' });
    });
  }

  it('gives headers or an error wherever it is cut off', async () => {
    const file = await databaseOf(TABLE, ...Array.from({ length: 30 }, () => insertion(headerOf(PACKAGE))));
    for (let end = 0; end < file.length; end += 511) await headersOrError(file.subarray(0, end));
  });

  it('gives headers or an error with any of its bytes changed', async () => {
    const file = await databaseOf(TABLE, ...Array.from({ length: 10 }, () => insertion(Buffer.alloc(5000, 1))));
    for (let at = 0; at < file.length; at += at < 200 ? 7 : 397) {
      for (const value of [0, 0xff, 0x7f]) {
        const changed = Buffer.from(file);
        changed[at] = value;
        await headersOrError(changed);
      }
    }
  });

  it('is refused with pages in a circle', async () => {
    const file = await databaseOf(TABLE, insertion(Buffer.alloc(3 * PAGE)));
    interior(2, 10).copy(file, PAGE);
    await assert.rejects(readRpmHeaders(file, 'db'), { code: 'PACKAGE_DATABASE' });
  });

  it('is refused with a header that claims more bytes than the file has', async () => {
    const file = await databaseOf(TABLE, insertion(Buffer.alloc(100, 7)));
    const row = file.indexOf(Buffer.alloc(100, 7));
    // Its record: payload length, row, header of three bytes, and the type 2n+12 in two bytes.
    assert.deepEqual([...file.subarray(row - 6, row)].slice(2), [4, 0, 0x81, 0x54]);
    file[row - 2] = 0xff;
    await headersOrError(file);
  });

  it('is refused with a row that is met again and again, until there are more bytes than in the file', async () => {
    const once = await readRpmHeaders(await webOfPages(1, 1, 3000), 'db');
    assert.deepEqual(
      once.map(({ length }) => length),
      [3000, 3000], // by the one cell, and by the pointer behind the last
    );
    await assert.rejects(readRpmHeaders(await webOfPages(2, 50, 3000), 'db'), { code: 'PACKAGE_DATABASE' });
  });

  it('is refused when its pages are a maze with rows without end', async () => {
    await assert.rejects(readRpmHeaders(await webOfPages(12, 400), 'db'), { code: 'PACKAGE_DATABASE' });
  });

  // The last one: SQLite is not used again in a process where it was stopped.
  it('is refused when it takes too long, and so is every other from then on', async () => {
    const [file, other] = [await webOfPages(12, 400), await databaseOf(TABLE)];
    const stopped = await readRpmHeaders(file, 'db', 1).catch((error: unknown) => error);
    assert.ok(stopped instanceof PackingError && stopped.code === 'PACKAGE_DATABASE');
    assert.equal(codeOf(stopped.cause), 'ERR_SCRIPT_EXECUTION_TIMEOUT');
    await assert.rejects(readRpmHeaders(other, 'db'), { code: 'PACKAGE_DATABASE' });
  });
});

async function headersOrError(file: Uint8Array): Promise<void> {
  try {
    for (const header of await readRpmHeaders(file, 'db')) assert.ok(header.length <= file.length);
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'PACKAGE_DATABASE', String(error));
  }
}
