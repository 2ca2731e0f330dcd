/** What an error may carry besides its code and its text. */
export interface ErrorDetails {
  /** What brought it about; the whole chain is printed once, at the top of the program. */
  readonly cause?: unknown;
  /** What the user can do next: a second line, a sentence without full stop. */
  readonly hint?: string | undefined;
  /** The file, URL, unit or version that the error is about. */
  readonly subject?: string | undefined;
}

/**
 * Every error that is thrown on purpose. `code` is API: scripts and tests match on it, texts may change.
 * Texts are lower case, without full stop, the most specific noun first, and hold no secrets.
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly hint: string | undefined;
  readonly subject: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
    this.subject = details.subject;
  }
}

/** The `code` of one of our errors or of a system error (`ENOENT`), else undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The texts of an error and of all its causes, outermost first, each only once. */
export function explain(error: unknown): string {
  const texts: string[] = [];
  let e: unknown = error;
  for (let depth = 0; e !== undefined && e !== null && depth < 10; depth++) {
    const text = (e instanceof Error ? e.message || e.name : String(e)).trim(); // OpenSSL ends its texts with newlines
    if (!texts.some((known) => known.includes(text))) texts.push(text);
    e = e instanceof Error ? e.cause : undefined;
  }
  return texts.join(': ');
}
