/** `WWW-Authenticate`, RFC 9110 section 11.6.1: which ways of proving who one is the server takes. */

export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** No server needs more to name a realm, a service and some scopes. */
const LIMIT = 8192;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const SCHEME = new RegExp(`(${TOKEN})(?: +|$|(?=,))`, 'y');
const PARAMETER = new RegExp(
  `(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN})|"((?:[^"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\.)*)")`,
  'y',
);
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const COMMA = /[ \t]*(?:,[ \t]*)+|[ \t]*$/y;

/** All challenges of a header, several header lines joined by commas; undefined for anything that is not the grammar. */
export function parseChallenges(text: string): readonly Challenge[] | undefined {
  if (text.length > LIMIT) return undefined;
  const reader = new Reader(text.trim());
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  while (!reader.atEnd) {
    const parameter = found.length === 0 ? undefined : reader.match(PARAMETER);
    const current = found.at(-1);
    if (parameter !== undefined && current !== undefined) {
      if (!add(current.parameters, parameter)) return undefined;
    } else {
      const scheme = reader.match(SCHEME)?.[1];
      if (scheme === undefined) return undefined;
      const parameters = new Map<string, string>();
      found.push({ scheme: scheme.toLowerCase(), parameters });
      const first = reader.match(PARAMETER);
      if (first !== undefined && !add(parameters, first)) return undefined;
      if (first === undefined) reader.match(TOKEN68); // of Negotiate and its like, which nobody here answers
    }
    if (reader.match(COMMA) === undefined) return undefined;
  }
  return found;
}

/** A name given twice could mean one thing to us and another to somebody else. */
function add(parameters: Map<string, string>, [, name = '', plain, quoted = '']: RegExpExecArray): boolean {
  const key = name.toLowerCase();
  if (parameters.has(key)) return false;
  parameters.set(key, plain ?? quoted.replace(/\\(.)/g, '$1'));
  return true;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }
}
