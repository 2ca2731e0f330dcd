/** Attributes of directories as objects; most directories of a tree are alike, and are written and hashed once. */
import type { Checksum } from '../objects/checksum.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import type { Attributes } from './modifiers.ts';
import type { MetadataWriter, Tally } from './tally.ts';

export class DirMetas {
  readonly #writer: MetadataWriter;
  readonly #tally: Tally | undefined;
  readonly #known = new Map<string, Checksum>();

  constructor(writer: MetadataWriter, tally?: Tally) {
    this.#writer = writer;
    this.#tally = tally;
  }

  put(attributes: Attributes): Checksum {
    const bytes = encodeDirMeta(attributes);
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#tally?.metadata(false);
      return known;
    }
    const { checksum, isNew } = this.#writer.putMetadata('dirmeta', bytes);
    this.#tally?.metadata(isNew);
    this.#known.set(key, checksum);
    return checksum;
  }
}
