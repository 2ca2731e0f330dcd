/** The lists of attributes of one stream, and which file has which (spec ostree-container 2.3). */
import { type Checksum, decodeXattrs, sha256, type Xattrs } from '../../../ostree/index.ts';
import { StreamError } from '../error.ts';
import { LIST_BYTES } from '../limits.ts';
import { listOf } from '../object-name.ts';
import { type ObjectStream, readObject, type StreamObject } from './object-stream.ts';

const NONE: Xattrs = [];

export class XattrLists {
  readonly #stream: ObjectStream;
  readonly #lists = new Map<Checksum, Xattrs>();
  #left: number;
  /** A link waits for its file, which comes next. */
  #link: { readonly file: Checksum; readonly xattrs: Xattrs } | undefined;

  constructor(stream: ObjectStream) {
    this.#stream = stream;
    this.#left = stream.limits.xattrs;
  }

  /** @throws StreamError XATTRS_CORRUPT, STREAM_LIMIT, STREAM_MALFORMED; OstreeError OBJECT_MALFORMED */
  async addList(object: StreamObject): Promise<void> {
    const { checksum } = object;
    if (!this.#lists.has(checksum)) this.#lists.set(checksum, await this.#read(object, checksum));
  }

  /** @throws StreamError XATTRS_UNKNOWN, XATTRS_DANGLING, STREAM_MALFORMED; as `addList` */
  async addLink(object: StreamObject): Promise<void> {
    this.assertNoLink();
    const { checksum: file, entry } = object;
    this.#link = { file, xattrs: entry.type === 'hardlink' ? this.#linked(object) : await this.#read(object) };
  }

  /** The attributes of a file that comes now. @throws StreamError XATTRS_MISSING, XATTRS_DANGLING */
  take(file: Checksum): Xattrs {
    const link = this.#link;
    if (link?.file === file) {
      this.#link = undefined;
      return link.xattrs;
    }
    this.assertNoLink();
    if (this.#stream.mayBeOld) return NONE; // what v0 leaves out; the checksum of the file judges
    throw new StreamError('XATTRS_MISSING', `file ${file}: nothing says what its extended attributes are`, {
      subject: file,
    });
  }

  /** @throws StreamError XATTRS_DANGLING */
  assertNoLink(): void {
    if (this.#link === undefined) return;
    const { file } = this.#link;
    throw new StreamError('XATTRS_DANGLING', `file ${file}: there are attributes for it, and it does not follow`, {
      subject: file,
    });
  }

  #linked({ checksum, entry }: StreamObject): Xattrs {
    const list = listOf(entry.linkTarget ?? '');
    const xattrs = list === undefined ? undefined : this.#lists.get(list);
    if (xattrs !== undefined) return xattrs;
    const what = list === undefined ? 'something else' : `list ${list}, which the stream does not have`;
    throw new StreamError('XATTRS_UNKNOWN', `file ${checksum}: its attributes are a link to ${what}`, {
      subject: checksum,
    });
  }

  /** @param expected the SHA-256 of a list of its own; a list in the place of a link has another name */
  async #read(object: StreamObject, expected?: Checksum): Promise<Xattrs> {
    const bytes = await readObject(object, LIST_BYTES);
    this.#left -= bytes.length;
    if (this.#left < 0)
      throw new StreamError('STREAM_LIMIT', `more than ${this.#stream.limits.xattrs} bytes of attributes`);
    const found = sha256(bytes);
    if (expected === undefined || expected === found) return decodeXattrs(bytes, `extended attributes ${found}`);
    throw new StreamError('XATTRS_CORRUPT', `extended attributes ${expected}: their content gives ${found}`, {
      subject: expected,
    });
  }
}
