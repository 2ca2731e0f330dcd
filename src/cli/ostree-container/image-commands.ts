/** `ostree-container image`: the words and options of the program skopeo. */
import type { CommandEntry } from '../command-table.ts';

/** An administrator's skopeo, sorted by name. */
export const IMAGE: readonly CommandEntry[] = [
  {
    name: 'copy',
    summary: 'copy an image from any place to any other',
    load: async () => (await import('./image/copy.ts')).copyCommand(),
  },
  {
    name: 'delete',
    summary: 'delete an image from a registry',
    load: async () => (await import('./image/delete.ts')).deleteCommand(),
  },
  {
    name: 'generate-sigstore-key',
    summary: 'make a pair of keys to sign images with',
    load: async () => (await import('./image/generate-sigstore-key.ts')).generateSigstoreKeyCommand(),
  },
  {
    name: 'inspect',
    summary: 'show what an image is',
    load: async () => (await import('./image/inspect.ts')).inspectCommand(),
  },
  {
    name: 'list-tags',
    summary: 'show the tags of a repository',
    load: async () => (await import('./image/list-tags.ts')).listTagsCommand(),
  },
  {
    name: 'sign',
    summary: 'sign an image in a registry or a layout',
    load: async () => (await import('./image/sign.ts')).signCommand(),
  },
  {
    name: 'verify',
    summary: 'say who has signed an image',
    load: async () => (await import('./image/verify.ts')).verifyCommand(),
  },
];
