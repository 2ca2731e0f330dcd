/** Extended attributes as `g_variant_print` shows their wire form: `[(b'user.a', [byte 0x01])]`. */
import { formatVariant, variantOf } from '../../gvariant/index.ts';
import { packXattrs, XATTRS, type Xattrs } from './xattrs.ts';

export function formatXattrs(xattrs: Xattrs): string {
  return formatVariant(variantOf(XATTRS, packXattrs(xattrs)));
}
