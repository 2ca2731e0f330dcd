/** Random layers on top of each other, against a file system that is a list of paths, and does one entry after the other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MutableTree } from '../../ostree/index.ts';
import {
  directory,
  file,
  hardlink,
  layerOf,
  listing,
  type Made,
  repositoryFor,
  symlink,
  transact,
} from '../layers.fixture.ts';
import { applyLayer } from './apply-layer.ts';

type Kind = 'directory' | 'file' | 'symlink' | 'hardlink' | 'whiteout' | 'opaque';
interface Step {
  readonly kind: Kind;
  readonly path: readonly string[];
  readonly number: number;
}

const NAMES = ['a', 'b', 'c'];
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>('directory', 'file', 'file', 'symlink', 'hardlink', 'whiteout', 'opaque'),
    path: fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
    number: fc.nat(0o777),
  }),
  { maxLength: 12 },
);

/** Like `listing`: paths of directories end in `/`. */
class Model {
  readonly state = new Map<string, string>([['/', '755']]);
  /** Of the layer that is being made. */
  #own = new Set<string>();
  readonly #entries: Made[] = [];

  /** The entries of a layer that does this; steps that no archive of a build would have are left out. */
  layer(all: readonly Step[]): readonly Made[] {
    this.#own = new Set();
    this.#entries.length = 0;
    const hides = ({ kind }: Step) => kind === 'whiteout' || kind === 'opaque';
    for (const step of [...all.filter(hides), ...all.filter((each) => !hides(each))]) this.#step(step);
    return [...this.#entries];
  }

  #step({ kind, path, number }: Step): void {
    const name = path.join('/');
    const parents = path.slice(0, -1).map((_, i) => path.slice(0, i + 1).join('/'));
    if (parents.some((parent) => this.#isLink(parent) || (this.#own.has(parent) && this.state.has(parent)))) return;
    if (kind === 'whiteout') this.#whiteout(path, name);
    else if (kind === 'opaque') this.#opaque(name);
    else this.#put(kind, name, parents, number);
  }

  #whiteout(path: readonly string[], name: string): void {
    this.#remove(name);
    this.#entries.push(file([...path.slice(0, -1), `.wh.${path.at(-1)}`].join('/'), ''));
  }

  #opaque(name: string): void {
    if (this.#isLink(name)) return;
    this.#removeBelow(name);
    this.#entries.push(file(`${name}/.wh..wh..opq`, ''));
  }

  #put(kind: Exclude<Kind, 'whiteout' | 'opaque'>, name: string, parents: readonly string[], number: number): void {
    if (this.#own.has(kind === 'directory' ? name : `${name}/`)) return; // one name, two types
    const target = kind === 'hardlink' ? this.#target(name, parents, number) : undefined;
    if (kind === 'hardlink' && target === undefined) return;
    const value = target === undefined ? `644 ${number}` : (this.state.get(target) ?? '');
    for (const parent of parents) this.#makeDirectory(parent);
    if (kind === 'directory') {
      this.#makeDirectory(name);
      this.state.set(`${name}/`, number.toString(8));
      this.#entries.push(directory(name, number));
      return;
    }
    this.#remove(name);
    this.#own.add(name);
    this.state.set(name, kind === 'symlink' ? `-> ${number}` : value);
    if (target !== undefined) this.#entries.push(hardlink(name, target));
    else this.#entries.push(kind === 'symlink' ? symlink(name, `${number}`) : file(name, `${number}`));
  }

  /** Any file there is, unless it would go when the link comes. */
  #target(name: string, parents: readonly string[], number: number): string | undefined {
    const files = [...this.state.keys()].filter((path) => !path.endsWith('/')).sort();
    const target = files[number % Math.max(files.length, 1)];
    if (target === undefined || target === name || target.startsWith(`${name}/`)) return undefined;
    return parents.includes(target) ? undefined : target;
  }

  #makeDirectory(name: string): void {
    this.#own.add(`${name}/`);
    this.state.delete(name);
    if (!this.state.has(`${name}/`)) this.state.set(`${name}/`, '755');
  }

  #isLink(name: string): boolean {
    return this.state.get(name)?.startsWith('->') === true;
  }

  #remove(name: string): void {
    this.state.delete(name);
    this.#removeBelow(name);
    this.state.delete(`${name}/`);
  }

  #removeBelow(name: string): void {
    for (const path of [...this.state.keys()]) {
      if (path.startsWith(`${name}/`) && path !== `${name}/`) this.state.delete(path);
    }
  }
}

describe('layers on top of each other', () => {
  it('give what a file system would hold, whatever they are', (t) =>
    transact(repositoryFor(t), async (transaction) => {
      const { reader } = transaction.writer;
      const holds = async (layers: readonly (readonly Step[])[]): Promise<void> => {
        const model = new Model();
        const tree = MutableTree.empty();
        for (const all of layers) {
          const layer = await layerOf(transaction, model.layer(all), { lower: tree });
          const root = layer.tree.write(transaction.writer);
          applyLayer(tree, { ...layer, tree: MutableTree.of(reader, root) }, { reader });
        }
        const expected = Object.fromEntries([...model.state].sort());
        assert.deepEqual(Object.fromEntries(Object.entries(listing(transaction, tree)).sort()), expected);
      };
      await fc.assert(fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 5 }), holds), {
        numRuns: 300,
        seed: 7,
      });
    }));
});
