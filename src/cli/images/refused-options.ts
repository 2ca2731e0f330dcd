/**
 * Options of skopeo that we do not have: refused with a word on what to do instead, never ignored. They are in no help
 * and complete to nothing.
 */
import { type Command, Option } from 'commander';
import { UsageError } from '../arguments.ts';

/** Flags as skopeo has them, and what to do instead. */
export type RefusedOptions = Readonly<Record<string, string>>;

/** Of every command that reaches an image. */
export const REFUSED_EVERYWHERE: RefusedOptions = {
  '--override-arch <arch>': 'write --platform OS/ARCHITECTURE',
  '--override-os <os>': 'write --platform OS/ARCHITECTURE',
  '--override-variant <variant>': 'write --platform OS/ARCHITECTURE/VARIANT',
  '--command-timeout <time>': 'run the command under timeout(1); --connect-timeout and --speed-time bound what is slow',
  '--tmpdir <directory>': 'set TMPDIR in the environment',
  '--debug': 'write --verbose, or set TAKO_DEBUG=1',
};

/** Of one side: `''`, `src-` or `dest-`. */
export function refusedOfSide(side: string): RefusedOptions {
  return {
    [`--${side}username <name>`]: `write --${side}creds-file FILE, with NAME:PASSWORD in it`,
    [`--${side}password <password>`]: `other users could see it: write --${side}creds-file FILE`,
    [`--${side}registry-token <token>`]: `other users could see it: put it into --${side}authfile as "registrytoken"`,
    [`--${side}daemon-host <host>`]: 'save the image with "docker save", and use docker-archive:FILE',
    [`--${side}shared-blob-dir <directory>`]: 'a layout keeps its blobs to itself: file systems share equal files',
  };
}

export function refuseOptions(command: Command, table: RefusedOptions): Command {
  for (const [flags, instead] of Object.entries(table)) {
    const option = new Option(flags).hideHelp();
    option.argParser(() => {
      throw new UsageError(`option "${option.long ?? flags}" is not supported`, instead);
    });
    command.addOption(option);
  }
  return command;
}
