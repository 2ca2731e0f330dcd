/** Trees that a machine can boot from say so in the metadata of their commit; spec 17. */
import { boolean, string, type Vardict, variantOf } from '../../gvariant/index.ts';
import { OstreeError } from '../error.ts';
import { MutableTree } from './mutable-tree.ts';

const MODULES = ['usr', 'lib', 'modules'];

/** `ostree.linux` is the release of the one kernel. @throws OstreeError PATH_MISSING without, TARGET_EXISTS with two */
export function bootableMetadata(tree: MutableTree): Vardict {
  const releases = [...(tree.directory(MODULES)?.entries() ?? [])].flatMap(([release, entry]) =>
    entry instanceof MutableTree && typeof entry.child('vmlinuz') === 'string' ? [release] : [],
  );
  const [release, second] = releases;
  if (release === undefined) {
    throw new OstreeError('PATH_MISSING', 'no kernel in the tree: expected /usr/lib/modules/RELEASE/vmlinuz');
  }
  if (second !== undefined) {
    throw new OstreeError('TARGET_EXISTS', `more than one kernel in /usr/lib/modules: ${releases.join(', ')}`);
  }
  return [
    ['ostree.linux', variantOf(string, release)],
    ['ostree.bootable', variantOf(boolean, true)],
  ];
}
