/**
 * The repository inside an image of format v1 (spec ostree-container 2.7): its objects are not content. But builds on
 * file systems with hard links change a file of the tree and its object together, and then the layer has the object
 * as a file, and the paths of the tree as links to it.
 */
import type { TarEntry } from '../../tar/index.ts';
import { isBelow, type Path } from '../path-rule.ts';
import type { LayerFile } from './layer-nodes.ts';

const REPO: Path = ['sysroot', 'ostree', 'repo'];

export class ImageObjects {
  readonly #modified = new Map<string, LayerFile>();

  /** Is this no content? The directories on the way are not either. */
  owns(path: Path, type: TarEntry['type'] | undefined): boolean {
    return isBelow(path, REPO) || (type === 'directory' && isBelow(REPO, path));
  }

  /** Untouched objects have the time that the format gives them, 0. */
  isModified({ type, mtime }: TarEntry): boolean {
    return type === 'file' && (mtime.seconds > 0 || (mtime.seconds === 0 && mtime.nanoseconds > 0));
  }

  put(path: Path, file: LayerFile): void {
    this.#modified.set(path.join('/'), file);
  }

  modified(path: Path): LayerFile | undefined {
    return this.#modified.get(path.join('/'));
  }
}
