/** What vouched for an image, as text in its commit. */
import { type Verification, verificationJson, verificationOf } from '../verification.ts';

export function formatVerification(verification: Verification): string {
  return JSON.stringify(verificationJson(verification));
}

/** Undefined for what none of us has written. */
export function parseVerification(text: string | undefined): Verification | undefined {
  if (text === undefined) return undefined;
  try {
    return verificationOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
