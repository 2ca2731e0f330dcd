import type { Descriptor } from '../../oci/index.ts';

/** Where a layer lies that may not be distributed by registries. Never with credentials, never in clear. */
export function foreignUrls({ urls = [] }: Descriptor, insecure: boolean): readonly URL[] {
  return urls
    .filter((text) => URL.canParse(text))
    .map((text) => new URL(text))
    .filter(({ protocol, username, password }) => {
      return (protocol === 'https:' || (insecure && protocol === 'http:')) && username === '' && password === '';
    });
}
