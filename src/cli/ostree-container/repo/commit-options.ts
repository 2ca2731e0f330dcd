/** The words of `repo commit`, those that users of the program ostree know. */
import { type Command, InvalidArgumentError } from 'commander';
import { repeatable } from '../../repeatable.ts';
import type { LockValues, RepoValues } from '../../shared-options.ts';
import type { SigningValues } from './signing-options.ts';

export interface CommitValues extends RepoValues, LockValues, SigningValues {
  readonly dryRun?: true;
  readonly parent?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly bodyFile?: string;
  readonly branch?: string;
  readonly orphan?: true;
  /** False for `--no-bindings`. */
  readonly bindings: boolean;
  readonly bindRef?: readonly string[];
  readonly base?: string;
  readonly tree?: readonly string[];
  readonly addMetadataString?: readonly string[];
  readonly addMetadata?: readonly string[];
  readonly keepMetadata?: readonly string[];
  readonly addDetachedMetadataString?: readonly string[];
  readonly ownerUid?: number;
  readonly ownerGid?: number;
  readonly canonicalPermissions?: true;
  readonly bootable?: true;
  readonly modeRoExecutables?: true;
  /** False for `--no-xattrs`. */
  readonly xattrs: boolean;
  readonly linkCheckoutSpeedup?: true;
  readonly devinoCanonical?: true;
  readonly tarAutocreateParents?: true;
  readonly tarPathnameFilter?: string;
  readonly skipIfUnchanged?: true;
  readonly statoverride?: string;
  readonly skipList?: string;
  readonly tableOutput?: true;
  readonly generateSizes?: true;
  readonly fsync?: boolean;
  readonly disableFsync?: true;
  readonly timestamp?: string;
  readonly threads?: number;
}

export function commitOptions(command: Command): Command {
  const shape = command
    .option('-b, --branch <ref>', 'the ref to set, and to take the parent from')
    .option('--orphan', 'set no ref')
    .option('-s, --subject <text>', 'one line about the commit')
    .option('-m, --body <text>', 'more about it')
    .option('-F, --body-file <file>', '... from this file')
    .option('--parent <commit>', 'parent, or "none" (default: what the branch is now)')
    .option('--timestamp <time>', 'time of the commit: RFC 3339, or @SECONDS (default: SOURCE_DATE_EPOCH, or now)')
    .addOption(repeatable('--tree <type=source>', 'dir=PATH, tar=FILE (- for standard input), ref=COMMIT, prefix=PATH'))
    .option('--base <commit>', 'lay everything over the tree of this commit; nothing below changes it')
    .addOption(repeatable('--add-metadata-string <key=value>', 'add a text to the metadata'))
    .addOption(repeatable('--add-metadata <key=value>', 'add a value in GVariant text format'))
    .addOption(repeatable('--keep-metadata <key>', 'take over a value from the parent'))
    .addOption(repeatable('--add-detached-metadata-string <key=value>', 'add a text beside the commit'))
    .addOption(repeatable('--bind-ref <ref>', 'another ref that the commit is meant for'))
    .option('--no-bindings', 'do not say which refs the commit is meant for')
    .option('--owner-uid <uid>', 'owner of everything', readId)
    .option('--owner-gid <gid>', 'group of everything', readId)
    .option('--canonical-permissions', 'owner 0:0, no setuid and the like, no extended attributes')
    .option('--no-xattrs', 'leave extended attributes out')
    .option('--mode-ro-executables', 'nobody may write to executable files')
    .option('--statoverride <file>', 'lines of MODE PATH (adds bits) or =MODE PATH (sets them), in decimal')
    .option('--skip-list <file>', 'lines of paths that are left out');
  return shape
    .option('--tar-autocreate-parents', 'make directories that an archive does not describe')
    .option('--tar-pathname-filter <regex,replacement>', 'change the paths in archives')
    .option('--link-checkout-speedup', 'do not read files that are hard links to objects of the repository')
    .option('-I, --devino-canonical', '... and take them as they were committed, without the changes above')
    .option('--skip-if-unchanged', 'make no commit when the tree is that of the parent')
    .option('--bootable', 'record the kernel that is in /usr/lib/modules')
    .option('--generate-sizes', 'record what clients will have to fetch (archive repositories)')
    .option('--dry-run', 'do everything, print the checksum, and leave nothing of it')
    .option('--table-output', 'print numbers beside the checksum')
    .option('--fsync <policy>', 'flush to the disk before the ref is set: true or false', readBoolean)
    .option('--disable-fsync', 'the same as --fsync=false')
    .option('--threads <count>', 'use at most so many threads; 0: none beside the main one', readThreads);
}

/** 2^32 - 1 is no id: chown takes it for "leave as it is". */
function readId(text: string): number {
  if (!/^(0|[1-9][0-9]{0,9})$/.test(text) || Number(text) > 2 ** 32 - 2) {
    throw new InvalidArgumentError('Expected a number from 0 to 4294967294.');
  }
  return Number(text);
}

/** As the reference reads it. */
function readBoolean(text: string): boolean {
  if (/^(true|yes|1)$/i.test(text)) return true;
  if (/^(false|no|0)$/i.test(text)) return false;
  throw new InvalidArgumentError('Expected true or false.');
}

function readThreads(text: string): number {
  if (!/^[0-9]{1,2}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
