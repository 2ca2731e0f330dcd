import { CodedError } from '../base/error.ts';

/**
 * MALFORMED: bytes that are not the normal form of their type. TYPE: not a type string. TEXT: not the text form of a
 * value. VALUE: a value that its type cannot hold, which is a mistake of the caller.
 */
export type GVariantErrorCode = 'GVARIANT_MALFORMED' | 'GVARIANT_TYPE' | 'GVARIANT_TEXT' | 'GVARIANT_VALUE';

export class GVariantError extends CodedError<GVariantErrorCode> {}

export function malformed(signature: string, expected: string, found: string | number): GVariantError {
  return new GVariantError(
    'GVARIANT_MALFORMED',
    `value of type ${clip(signature)}: expected ${expected}, found ${found}`,
  );
}

export function unfit(signature: string, expected: string, found: string): GVariantError {
  return new GVariantError('GVARIANT_VALUE', `value for type ${clip(signature)}: expected ${expected}, found ${found}`);
}

/** `at` counts UTF-16 units from 0, the text from 1. */
export function textError(at: number, expected: string): GVariantError {
  return new GVariantError('GVARIANT_TEXT', `character ${at + 1}: expected ${expected}`);
}

/** Type strings come from outside and may be as long as their container. */
export function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
