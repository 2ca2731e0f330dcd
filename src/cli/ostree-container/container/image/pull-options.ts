/** What a pull into the store may be told; the same for `pull` and `deploy`. */
import { type Command, Option } from 'commander';
import { type LockValues, repoLockOption } from '../../../shared-options.ts';
import { packageVersion } from '../../../version.ts';
import { type AccessValues, accessOptions } from './image-access.ts';

export interface StorePullValues extends AccessValues, LockValues {
  readonly allowUnsignedLayers?: true;
  readonly requireBootable?: true;
  readonly skipGc?: true;
  readonly skipSpecialFiles?: true;
  readonly varTo?: 'var' | 'usr/share/factory/var';
  readonly dryRun?: true;
  readonly noImgref?: true;
}

export function storePullOptions(shape: Command): Command {
  shape
    .addOption(noImgref())
    .option('--require-bootable', 'refuse an image that is not labelled as bootable, or is for other machines')
    .option(
      '--allow-unsigned-layers',
      'of ostree-remote-*: take layers that the signature of the commit does not cover',
    )
    .option('--skip-special-files', 'leave devices, fifos and sockets of layers out, instead of refusing them')
    .addOption(
      new Option('--var-to <path>', 'where /var of layers goes (default: var)').choices([
        'var',
        'usr/share/factory/var',
      ]),
    )
    .option('--platform <os/arch[/variant]>', 'the image of an index that is for this platform')
    .option('--skip-gc', 'keep the refs of layers that nothing needs any more')
    .option('--dry-run', 'say which layers would be fetched, and how many bytes');
  return repoLockOption(accessOptions(shape));
}

/** Not the opposite of an option `--imgref`: `deploy` has both. */
function noImgref(): Option {
  const option = new Option('--no-imgref', 'store the layers, and do not give the image its name');
  option.negate = false;
  return option;
}

/** What does not depend on where images come from. */
export function pullFlags(values: StorePullValues) {
  return {
    allowUnsignedLayers: values.allowUnsignedLayers === true,
    requireBootable: values.requireBootable === true,
    setImageRef: values.noImgref !== true,
    skipGc: values.skipGc === true,
    specials: values.skipSpecialFiles === true ? 'skip' : 'refuse',
    varTo: values.varTo ?? 'var',
    importer: `tako ${packageVersion()}`,
    now: Date.now(),
  } as const;
}
