/** The table of the commands of `os-containers`, sorted by name. */
import type { CommandEntry } from '../command-table.ts';

const IMAGES: readonly CommandEntry[] = [
  {
    name: 'delete',
    summary: 'forget a stored image',
    load: async () => (await import('./images/delete.ts')).deleteCommand(),
  },
  {
    name: 'info',
    summary: 'show what an image is, and which values it asks for',
    load: async () => (await import('./images/info.ts')).infoCommand(),
  },
  {
    name: 'list',
    summary: 'list the stored images',
    load: async () => (await import('./images/list.ts')).listCommand(),
  },
  {
    name: 'prune',
    summary: 'delete layers that nothing needs',
    load: async () => (await import('./images/prune.ts')).pruneCommand(),
  },
  {
    name: 'tag',
    summary: 'give a stored image a second name',
    load: async () => (await import('./images/tag.ts')).tagCommand(),
  },
  {
    name: 'verify',
    summary: 'hold an image and its deployments against their checksums',
    load: async () => (await import('./images/verify.ts')).verifyCommand(),
  },
];

const CONTAINERS: readonly CommandEntry[] = [
  {
    name: 'list',
    summary: 'list the containers',
    load: async () => (await import('./list.ts')).listCommand(),
  },
];

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'containers',
    summary: 'list the containers',
    commands: CONTAINERS,
    instead: { info: '"images info" shows what an image is, "list --json" what is installed' },
  },
  {
    name: 'diff',
    summary: 'show what an update would change',
    load: async () => (await import('./diff.ts')).diffCommand(),
  },
  {
    name: 'export',
    summary: 'write a container with its images into one file',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  {
    name: 'images',
    summary: 'work with stored images',
    description: 'Work with the images that were pulled. Without another word: list them.',
    commands: IMAGES,
    instead: {
      pull: 'images are pulled with "pull IMAGE"',
      push: 'images do not leave the store; copy them between registries with "ostree-container image copy"',
      remove: 'images are deleted with "images delete IMAGE"',
    },
  },
  {
    name: 'import',
    summary: 'install a container from a file of export',
    load: async () => (await import('./import.ts')).importCommand(),
  },
  {
    name: 'install',
    summary: 'make a service of an image',
    load: async () => (await import('./install.ts')).installCommand(),
  },
  {
    name: 'lint',
    summary: 'check an image for what makes trouble as a system container',
    load: async () => (await import('./lint.ts')).lintCommand(),
  },
  {
    name: 'list',
    summary: 'list the containers',
    load: async () => (await import('./list.ts')).listCommand(),
  },
  {
    name: 'pull',
    summary: 'fetch an image into the store',
    load: async () => (await import('./pull.ts')).pullCommand(),
  },
  {
    name: 'rollback',
    summary: 'go back to the previous deployment',
    load: async () => (await import('./rollback.ts')).rollbackCommand(),
  },
  {
    name: 'run',
    summary: 'run a command in a container or an image',
    load: async () => (await import('./run.ts')).runCommand(),
  },
  {
    name: 'uninstall',
    summary: 'remove a container and its files from the host',
    load: async () => (await import('./uninstall.ts')).uninstallCommand(),
  },
  {
    name: 'update',
    summary: 'deploy the newest pulled image, or other values',
    load: async () => (await import('./update.ts')).updateCommand(),
  },
];
