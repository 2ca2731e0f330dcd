/** What a registry or a token server says about its refusal. */
import { decodeUtf8 } from '../base/decode.ts';
import { printable } from '../base/text.ts';

const SHOWN_ERRORS = 3;
const SHOWN_CHARACTERS = 300;

/**
 * `CODE: message` of `{"errors":[{"code","message"}]}` (distribution specification), or the sentence in the fields that
 * token servers use. Undefined for what is no JSON: pages of HTML say nothing in one line.
 */
export function serverMessage(contentType: string, body: Uint8Array): string | undefined {
  const document = contentType.includes('html') ? undefined : parse(body);
  const errors = field(document, 'errors');
  const listed = Array.isArray(errors) ? errors.slice(0, SHOWN_ERRORS).flatMap(oneError) : [];
  const single = ['error_description', 'details', 'message', 'error'].map((name) => field(document, name));
  const text = listed.length > 0 ? listed.join('; ') : single.find(isText);
  return text === undefined ? undefined : printable([...text.slice(0, 2000)].slice(0, SHOWN_CHARACTERS).join(''));
}

function oneError(error: unknown): string[] {
  const texts = [field(error, 'code'), field(error, 'message')].filter(isText);
  return texts.length === 0 ? [] : [texts.join(': ')];
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(body) ?? '');
  } catch {
    return undefined; // whatever it is, it is no explanation
  }
}

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
