/** All commands of `ostree-container`: help, completions and manual pages are made from this. */
import { Command } from 'commander';
import { type CommandEntry, groupShape, loadCommands } from '../command-table.ts';
import { packageVersion } from '../version.ts';
import { CONTAINER, TAR } from './container-commands.ts';
import { IMAGE } from './image-commands.ts';
import { REPO } from './repo-commands.ts';

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'build',
    summary: 'make a container image of a commit',
    load: async () => (await import('./build.ts')).buildCommand(),
  },
  {
    name: 'container',
    summary: 'carry OSTree commits in container images',
    description: 'OSTree commits as container images of format v1, and images with layers on top of such a commit.',
    commands: CONTAINER,
  },
  {
    name: 'image',
    summary: 'work with container images, in registries and on disks',
    description:
      'Work with container images in registries, layouts, archives and directories, with the words and options that ' +
      'users of the program skopeo know. "copy" is also what pulls and pushes.',
    commands: IMAGE,
    instead: {
      pull: 'an image is pulled with "image copy docker://HOST/NAME oci:DIRECTORY"',
      push: 'an image is pushed with "image copy oci:DIRECTORY docker://HOST/NAME"',
      sync: 'images are copied one by one with "image copy --all"',
      login: 'log in with "podman login" or "skopeo login", or give --authfile or --creds-file',
      'standalone-sign': 'images are signed with "image sign"',
      'standalone-verify': 'signatures are verified with "image verify"',
      'manifest-digest': '"image inspect" shows the digest',
    },
  },
  {
    name: 'pull',
    summary: 'pull a commit out of a container image',
    load: async () => (await import('./pull.ts')).pullCommand(),
  },
  {
    name: 'repo',
    summary: 'work with an OSTree repository',
    description: 'Work with an OSTree repository, with the words and options that users of the program ostree know.',
    commands: REPO,
  },
  {
    name: 'serve',
    summary: 'serve a repository over HTTP, with a page for people',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'tar',
    summary: 'write a commit as a tar stream, and read it back',
    description: 'A commit as one tar stream that is a root file system and an OSTree repository at once.',
    commands: TAR,
  },
];

/** @param wanted the words of the command that will run; undefined: all of them, with their options */
export async function ostreeContainerProgram(wanted?: readonly string[]): Promise<Command> {
  const program = new Command('ostree-container')
    .description('Carry OSTree commits in container images, and work with images and OSTree repositories.')
    .version(packageVersion(), '--version', 'print the version');
  return loadCommands(groupShape(program), COMMANDS, wanted);
}
