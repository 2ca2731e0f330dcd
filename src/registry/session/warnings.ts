import { printable } from '../../base/text.ts';

const SHOWN = 10;
const LONGEST = 300;

/** Shows what the registry has to say to its users (`Warning: 299 - "text"`), each text once and not too many. */
export class Warnings {
  readonly #host: string;
  readonly #onNote: (text: string) => void;
  readonly #seen = new Set<string>();

  constructor(host: string, onNote: (text: string) => void) {
    this.#host = host;
    this.#onNote = onNote;
  }

  show(header: string | undefined): void {
    for (const [, quoted = ''] of (header ?? '').slice(0, 8192).matchAll(/299 \S{1,100} "((?:[^"\\]|\\.)*)"/g)) {
      const text = printable(quoted.replace(/\\(.)/g, '$1').slice(0, LONGEST));
      if (text === '' || this.#seen.has(text) || this.#seen.size >= SHOWN) continue;
      this.#seen.add(text);
      this.#onNote(`${this.#host} says: ${text}`);
    }
  }
}
