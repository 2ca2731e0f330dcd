/** What a commit says of the containers that are made of it. */
import { array, lookup, string } from '../../gvariant/index.ts';
import { hostPlatform, type Platform } from '../../oci/index.ts';
import type { Commit } from '../../ostree/index.ts';

const ARCHITECTURE = 'ostree.architecture';
const COMMAND = 'ostree.container-cmd';

/** Names of machines in the kernel's words, where those of images differ. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  i686: '386',
  armhfp: 'arm',
  armv7l: 'arm',
};

export interface ContainerFacts {
  /** That of this machine where the commit names none. */
  readonly platform: Platform;
  readonly version: string | undefined;
  /** The program of a container. */
  readonly command: readonly string[] | undefined;
}

/** @throws GVariantError */
export function containerFacts({ metadata }: Commit): ContainerFacts {
  const named = lookup(metadata, ARCHITECTURE, string);
  const command = lookup(metadata, COMMAND, array(string));
  return {
    platform: named === undefined ? hostPlatform() : { os: 'linux', architecture: ARCHITECTURES[named] ?? named },
    version: lookup(metadata, 'version', string),
    command: command === undefined || command.length === 0 ? undefined : command,
  };
}
