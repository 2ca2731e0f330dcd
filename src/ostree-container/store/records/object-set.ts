/** Contents without places: a flat tree in which each object has its checksum as its name (spec ostree-container 2.7). */
import {
  type Checksum,
  encodeDirMeta,
  encodeDirTree,
  type ObjectReader,
  type ObjectWriter,
  S_IFDIR,
  writeCommit,
} from '../../../ostree/index.ts';

/** Equal sets give equal commits, here and with the established tools. */
export function writeObjectSet(writer: ObjectWriter, contents: ReadonlySet<Checksum>): Checksum {
  const files = [...contents].map((checksum) => ({ name: checksum, checksum }));
  const rootTree = writer.putMetadata('dirtree', encodeDirTree({ files, directories: [] })).checksum;
  const attributes = { uid: 0, gid: 0, mode: S_IFDIR | 0o755, xattrs: [] };
  const rootMeta = writer.putMetadata('dirmeta', encodeDirMeta(attributes)).checksum;
  return writeCommit(writer, { rootTree, rootMeta }, { timestamp: 0 });
}

/** @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED */
export function readObjectSet(reader: ObjectReader, commit: Checksum): Checksum[] {
  return reader.dirTree(reader.commit(commit).rootTree).files.map(({ checksum }) => checksum);
}
