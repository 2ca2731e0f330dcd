/** Extended attributes that a container runtime is to restore, capabilities above all. */
import { isUtf8 } from 'node:buffer';
import type { Xattrs } from '../../../ostree/index.ts';
import type { TarXattr } from '../../../tar/index.ts';

/** Labels are those of the host that runs it. */
const LABEL = 'security.selinux';

/** Names that are not UTF-8 are left out: tar has no way to write them, and the stream has them in its objects. */
export function containerXattrs(xattrs: Xattrs): readonly TarXattr[] {
  return xattrs.flatMap(([bytes, value]) => {
    const name = Buffer.from(bytes).toString();
    return isUtf8(bytes) && name !== LABEL ? [[name, value] as const] : [];
  });
}
