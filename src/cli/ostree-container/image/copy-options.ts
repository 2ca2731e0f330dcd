/** What a copy may be asked for. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CopyOptions, ManifestFormat } from '../../../images/index.ts';
import { hostPlatform, type LayerPacking, parsePlatform } from '../../../oci/index.ts';
import { UsageError } from '../../arguments.ts';
import { refuseOptions } from '../../images/refused-options.ts';

export interface CopyValues {
  readonly all?: true;
  readonly multiArch?: 'all' | 'system';
  readonly platform?: string;
  readonly format?: ManifestFormat;
  readonly destCompressFormat?: LayerPacking;
  readonly preserveDigests?: true;
  readonly removeSignatures?: true;
  readonly sigstoreSignatures?: true;
}

export function copyOptions(command: Command): Command {
  command
    .option('-a, --all', 'an index with all of its images, not just the one for this machine')
    .addOption(new Option('--multi-arch <which>', 'the same as --all').argParser(readMultiArch))
    .option('--platform <os/arch[/variant]>', 'the image of an index that is for this platform')
    .addOption(new Option('-f, --format <format>', 'convert the manifest').argParser(readFormat))
    .addOption(
      new Option('--dest-compress-format <packing>', 'pack layers anew that are packed otherwise').choices([
        'gzip',
        'zstd',
        'none',
      ] satisfies LayerPacking[]),
    )
    .option('--preserve-digests', 'fail rather than store an image with another digest')
    .option('--remove-signatures', 'leave signatures behind')
    .option('--sigstore-signatures', 'take signatures of cosign along; implies --preserve-digests');
  return refuseOptions(command, {
    '--additional-tag <tag>': 'copy again under the other name: nothing is moved twice',
    '--decryption-key <key>': 'encrypted layers are not supported',
    '--encrypt-layer <number>': 'encrypted layers are not supported',
    '--encryption-key <key>': 'encrypted layers are not supported',
    '--dest-compress': 'write --dest-compress-format gzip',
    '--dest-compress-level <level>': 'layers are packed the same way each time, so that equal layers have one digest',
    '--dest-decompress': 'write --dest-compress-format none',
    '--dest-oci-accept-uncompressed-layers': 'layers are not packed anew unless --dest-compress-format says so',
    '--dest-precompute-digests': 'what is packed anew has its digest before it is sent, always',
  });
}

/** @throws UsageError, OciError BAD_REFERENCE */
export function readCopyOptions(
  values: CopyValues,
): Pick<CopyOptions, 'all' | 'platform' | 'format' | 'packing' | 'preserveDigests' | 'removeSignatures'> {
  const all = values.all === true || values.multiArch === 'all';
  if (all && values.platform !== undefined) throw new UsageError('--all and --platform exclude each other');
  if (values.removeSignatures === true && values.sigstoreSignatures === true) {
    throw new UsageError('--remove-signatures and --sigstore-signatures exclude each other');
  }
  return {
    all,
    platform: values.platform === undefined ? hostPlatform() : parsePlatform(values.platform),
    format: values.format,
    packing: values.destCompressFormat,
    preserveDigests: values.preserveDigests === true || values.sigstoreSignatures === true,
    removeSignatures: values.removeSignatures === true,
  };
}

function readFormat(text: string): ManifestFormat {
  if (text === 'oci' || text === 'v2s2') return text;
  if (text === 'v2s1') throw new UsageError('--format: Docker schema 1 is not written', 'write --format v2s2');
  throw new InvalidArgumentError('Allowed choices are oci, v2s2.');
}

function readMultiArch(text: string): 'all' | 'system' {
  if (text === 'all' || text === 'system') return text;
  if (text === 'index-only') {
    throw new UsageError('--multi-arch: an index without its images is not copied', 'write --all, or --platform');
  }
  throw new InvalidArgumentError('Allowed choices are all, system.');
}
