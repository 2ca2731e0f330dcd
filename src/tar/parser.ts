/**
 * The tar format without input: a generator that says which bytes it wants next, so that files and streams are read
 * by the same code. See `Step`.
 */
import { BLOCK, padded } from './block.ts';
import { limitsOf, type TarEntry, type TarLimits } from './entry.ts';
import { malformed, overLimit, TarError, truncated } from './error.ts';
import { type Dialect, dialectOf, isHeader, isZero, numberField, SIZE, TYPE } from './header.ts';
import { type DataPlace, entryOf, type Preamble, storedPath, typeOf } from './member.ts';
import { applyGlobalPax, applyPax, type Overrides } from './pax.ts';
import { OLD_SPARSE, placeOf } from './place.ts';
import type { Steps } from './step.ts';
import { decodePath } from './text-field.ts';

export function parseTar(limits: TarLimits = {}): Steps<void> {
  return new Parser(limitsOf(limits)).archive();
}

const HARD_LINK = 0x31;
/** GNU tar's folder of an incremental backup: its data list what was in it. */
const DUMP_FOLDER = 0x44;
/** Headers that are no entries: pax (X is Solaris' letter for it), GNU long names and volume labels. */
const LONG_LINK = 0x4b;
const LONG_PATH = 0x4c;
const LABEL = 0x56;
const PAX_SOLARIS = 0x58;
const PAX_GLOBAL = 0x67;
const PAX = 0x78;
const PREAMBLE: ReadonlySet<number | undefined> = new Set([LONG_LINK, LONG_PATH, LABEL, PAX_SOLARIS, PAX_GLOBAL, PAX]);

class Parser {
  readonly #limits: Required<TarLimits>;
  /** Of the next byte that the parser has not asked for. */
  #position = 0;
  /** Of the header that is being read, for errors. */
  #headerAt = 0;
  #entries = 0;
  /** What global headers say about every entry from here on. */
  #globals: Overrides = {};
  #sawPax = false;
  #before: Preamble = { overrides: this.#globals, longPath: undefined, longLink: undefined };
  /** Bytes of preambles since the last entry, for an archive may consist of nothing else. */
  #headerBytes = 0;

  constructor(limits: Required<TarLimits>) {
    this.#limits = limits;
  }

  *archive(): Steps<void> {
    try {
      let block = yield BLOCK;
      while (block.length === BLOCK && !isZero(block)) {
        this.#headerAt = this.#position;
        if (!isHeader(block)) throw malformed('header', 'a block whose checksum holds');
        this.#position += BLOCK;
        const next = PREAMBLE.has(block[TYPE]) ? yield* this.#preamble(block) : yield* this.#member(block);
        block = next ?? (yield BLOCK);
      }
      this.#headerAt = this.#position;
      yield* this.#end(block);
    } catch (error) {
      if (!(error instanceof TarError)) throw error;
      throw new TarError(error.code, `tar header at byte ${this.#headerAt}`, { cause: error });
    }
  }

  /** The end is two zero blocks, or the end of the file at the border of a block, which every tar accepts. */
  *#end(block: Buffer): Steps<void> {
    if (block.length > 0 && block.length < BLOCK) throw truncated('header');
    const { overrides, longPath, longLink } = this.#before;
    if (overrides !== this.#globals || longPath !== undefined || longLink !== undefined) throw truncated('header');
    if (block.length > 0 && !isZero(yield BLOCK)) throw malformed('end', 'two zero blocks, found one');
  }

  /** A header that is about the entry after it, or about all of them. */
  *#preamble(block: Buffer): Steps<undefined> {
    const letter = block[TYPE];
    const size = numberField(block, SIZE, 'size');
    this.#headerBytes += BLOCK + size;
    if (this.#headerBytes > this.#limits.headerBytes) throw overLimit('header', this.#limits.headerBytes, 'bytes');
    const body = size === 0 ? block.subarray(0, 0) : yield padded(size);
    if (body.length < padded(size)) throw truncated('header');
    this.#position += padded(size);
    this.#apply(letter, body.subarray(0, size));
    return undefined;
  }

  #apply(letter: number | undefined, body: Buffer): void {
    const before = this.#before;
    if (letter === LONG_PATH) this.#before = { ...before, longPath: this.#longName(body, 'path') };
    else if (letter === LONG_LINK) this.#before = { ...before, longLink: this.#longName(body, 'link target') };
    else if (letter === PAX_GLOBAL) this.#applyGlobal(body);
    else if (letter !== LABEL) {
      this.#sawPax = true;
      this.#before = { ...before, overrides: applyPax(body, before.overrides, this.#limits) };
    }
  }

  #applyGlobal(body: Buffer): void {
    if (this.#before.overrides !== this.#globals) throw malformed('header', 'an entry behind its own pax header');
    this.#sawPax = true;
    this.#globals = applyGlobalPax(body, this.#globals, this.#limits);
    this.#before = { ...this.#before, overrides: this.#globals };
  }

  /** The name ends at its first NUL, or with the data. */
  #longName(body: Buffer, what: string): string {
    const end = body.indexOf(0);
    return decodePath(end < 0 ? body : body.subarray(0, end), what, this.#limits.pathLength);
  }

  /** An entry. Returns the block after it when that had to be looked at. */
  *#member(header: Buffer): Steps<Buffer | undefined> {
    const before = this.#before;
    const { overrides } = before;
    const letter = header[TYPE];
    // A sparse map lies in further blocks, and these may overwrite the header.
    const block = letter === OLD_SPARSE || overrides.sparse !== undefined ? Buffer.from(header) : header;
    const dialect = dialectOf(block);
    const { path, type } = named(block, dialect, before, this.#limits.pathLength);
    if (overrides.sparse !== undefined && type !== 'file') throw malformed(`entry ${type}`, 'no sparse map');
    const size = type === 'file' || mayHide(letter) ? (overrides.size ?? numberField(block, SIZE, 'size')) : 0;
    const at = { size, position: this.#position, parts: this.#limits.sparseParts };
    const place = type === 'file' ? yield* placeOf(block, overrides.sparse, at) : noPlace(this.#position);
    if (++this.#entries > this.#limits.entries) throw overLimit('archive', this.#limits.entries, 'entries');
    this.#before = { overrides: this.#globals, longPath: undefined, longLink: undefined };
    this.#headerBytes = 0;
    this.#position = place.dataOffset + padded(place.storedSize);
    yield entryOf({ block, dialect, before, path, type, place, pathLength: this.#limits.pathLength });
    return type === 'file' || size === 0 ? undefined : yield* this.#passHidden(letter, dialect, size);
  }

  /**
   * Links and folders have no data whatever size they state, with two exceptions: the list of a GNU dump folder, and
   * hard links, where each dialect has its own habit. v7 and GNU write the size of the file and no data, pax means
   * what it says, and of a plain ustar the block behind tells, as libarchive finds out too.
   */
  *#passHidden(letter: number | undefined, dialect: Dialect, size: number): Steps<Buffer | undefined> {
    if (letter === HARD_LINK && dialect !== 'ustar') return undefined;
    let passed = 0;
    if (letter === HARD_LINK && !this.#sawPax) {
      const next = yield BLOCK;
      if (next.length < BLOCK || isZero(next) || isHeader(next)) return next;
      passed = BLOCK;
    }
    if (padded(size) > passed) yield passed - padded(size);
    this.#position += padded(size);
    return undefined;
  }
}

function mayHide(letter: number | undefined): boolean {
  return letter === HARD_LINK || letter === DUMP_FOLDER;
}

/** Old tars have no letter for folders, but a slash behind their name. */
function named(block: Buffer, dialect: Dialect, before: Preamble, pathLength: number): Pick<TarEntry, 'path' | 'type'> {
  const type = typeOf(block, dialect);
  const path = storedPath(block, dialect, before, pathLength);
  if (type !== 'file' || !path.endsWith('/')) return { path, type };
  // Some tars look for data behind such a header and others do not: whoever wants two readings gets none.
  const size = before.overrides.size ?? numberField(block, SIZE, 'size');
  if (size !== 0) throw malformed('size of a directory', '0', size);
  return { path, type: 'directory' };
}

function noPlace(position: number): DataPlace {
  return { size: 0, sparse: undefined, dataOffset: position, storedSize: 0 };
}
