/** The origin file of a deployment, which says where its successor comes from: a key file of GLib. */
import { formatOstreeReference, type OstreeReference, parseOstreeReference } from '../../reference/index.ts';

const GROUP = 'origin';
const KEY = 'container-image-reference';
/** A larger one is none. */
export const ORIGIN_LIMIT = 2 ** 16;

export function formatOrigin(reference: OstreeReference): string {
  return `[${GROUP}]\n${KEY}=${formatOstreeReference(reference)}\n`;
}

/** The image, as it is written there; undefined where there is none. The last word counts. */
export function readOrigin(text: string): string | undefined {
  let group = '';
  let found: string | undefined;
  for (const line of text.split('\n').map((each) => each.trim())) {
    group = /^\[([^[\]]+)\]$/.exec(line)?.[1] ?? group;
    const [, key, value] = /^([^=#\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (group === GROUP && key === KEY) found = value;
  }
  return found;
}

/** @throws OstreeReferenceError BAD_OSTREE_REFERENCE */
export function imageOfOrigin(text: string): OstreeReference['image'] {
  return parseOstreeReference(text).image;
}
