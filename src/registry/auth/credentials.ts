/** Who the user is to a registry. */
export type Credentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Exchanged for tokens at the registry's token server (`identitytoken` of auth.json). */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Sent to the registry as it is (`registrytoken` of auth.json). */
  | { readonly kind: 'bearer'; readonly token: string };

/** RFC 7617, in UTF-8. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** What may stand in a header: visible ASCII. */
export function isHeaderSafe(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}
