/** `ostree-container container` and `tar`: images and streams of format v1. */
import type { CommandEntry } from '../command-table.ts';

/** The words that users of format v1 have in their scripts. */
export const TAR: readonly CommandEntry[] = [
  {
    name: 'export',
    summary: 'write a commit as a tar stream',
    load: async () => (await import('./tar/export.ts')).exportCommand(),
  },
  {
    name: 'import',
    summary: 'make a commit out of such a stream',
    load: async () => (await import('./tar/import.ts')).importCommand(),
  },
];

/** Images that a repository stores, sorted by name. */
const CONTAINER_IMAGE: readonly CommandEntry[] = [
  {
    name: 'clear-cached-update',
    summary: 'forget a newer image that was seen',
    load: async () => (await import('./container/image/clear-cached-update.ts')).clearCachedUpdateCommand(),
  },
  {
    name: 'copy',
    summary: 'copy a stored image into another repository',
    load: async () => (await import('./container/image/copy.ts')).copyCommand(),
  },
  {
    name: 'deploy',
    summary: 'pull an image and check it out as a deployment',
    load: async () => (await import('./container/image/deploy.ts')).deployCommand(),
  },
  {
    name: 'history',
    summary: 'show the layers of a stored image',
    load: async () => (await import('./container/image/history.ts')).historyCommand(),
  },
  {
    name: 'list',
    summary: 'list the stored images',
    load: async () => (await import('./container/image/list.ts')).listCommand(),
  },
  {
    name: 'metadata',
    summary: 'print the manifest or the configuration of a stored image',
    load: async () => (await import('./container/image/metadata.ts')).metadataCommand(),
  },
  {
    name: 'prune-images',
    summary: 'forget images that no deployment comes from',
    load: async () => (await import('./container/image/prune-images.ts')).pruneImagesCommand(),
  },
  {
    name: 'prune-layers',
    summary: 'drop layers that nothing needs',
    load: async () => (await import('./container/image/prune-layers.ts')).pruneLayersCommand(),
  },
  {
    name: 'pull',
    summary: 'store an image with all its layers',
    load: async () => (await import('./container/image/pull.ts')).pullCommand(),
  },
  {
    name: 'reexport',
    summary: 'write a stored image back into a registry or a layout',
    load: async () => (await import('./container/image/reexport.ts')).reexportCommand(),
  },
  {
    name: 'remove',
    summary: 'forget stored images',
    load: async () => (await import('./container/image/remove.ts')).removeCommand(),
  },
  {
    name: 'replace-detached-metadata',
    summary: 'put other signatures into an image',
    load: async () => (await import('./container/image/replace-detached-metadata.ts')).replaceDetachedMetadataCommand(),
  },
];

/** OSTree commits in container images of format v1, sorted by name. */
export const CONTAINER: readonly CommandEntry[] = [
  {
    name: 'commit',
    summary: 'end the build of an image: empty its temporary directories',
    load: async () => (await import('./container/commit.ts')).commitCommand(),
  },
  {
    name: 'compare',
    summary: 'show which layers of two images differ',
    load: async () => (await import('./container/compare.ts')).compareCommand(),
  },
  {
    name: 'encapsulate',
    aliases: ['export'],
    summary: 'make a container image of a commit',
    load: async () => (await import('./container/encapsulate.ts')).encapsulateCommand(),
  },
  {
    name: 'image',
    summary: 'work with container images that a repository stores',
    description:
      'Images in a repository: the OSTree commit in each, the layers on top of it, and the tree of both. Images in ' +
      'registries and layouts are the business of "ostree-container image".',
    commands: CONTAINER_IMAGE,
    instead: { inspect: 'images that are not stored are shown by "ostree-container image inspect"' },
  },
  {
    name: 'info',
    summary: 'print the digest of an image',
    load: async () => (await import('./container/info.ts')).infoCommand(),
  },
  {
    name: 'unencapsulate',
    aliases: ['import'],
    summary: 'take the commit out of such an image',
    load: async () => (await import('./container/unencapsulate.ts')).unencapsulateCommand(),
  },
];
