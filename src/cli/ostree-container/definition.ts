/** All commands of `ostree-container`: help, completions and manual pages are made from this. */
import { Command } from 'commander';
import { type CommandEntry, groupShape, loadCommands } from '../command-table.ts';
import { packageVersion } from '../version.ts';

/** Also known by the words of the program `ostree`. */
const DELTA: readonly CommandEntry[] = [
  {
    name: 'apply-offline',
    summary: 'make a commit out of a delta in a file',
    load: async () => (await import('./repo/delta/apply-offline.ts')).applyOfflineCommand(),
  },
  {
    name: 'delete',
    summary: 'delete a delta',
    load: async () => (await import('./repo/delta/delete.ts')).deleteCommand(),
  },
  {
    name: 'generate',
    summary: 'make a delta',
    load: async () => (await import('./repo/delta/generate.ts')).generateCommand(),
  },
  {
    name: 'indexes',
    summary: 'list the indexes of deltas',
    load: async () => (await import('./repo/delta/indexes.ts')).indexesCommand(),
  },
  {
    name: 'list',
    summary: 'list deltas',
    load: async () => (await import('./repo/delta/list.ts')).listCommand(),
  },
  {
    name: 'reindex',
    summary: 'write the indexes of deltas',
    load: async () => (await import('./repo/delta/reindex.ts')).reindexCommand(),
  },
  {
    name: 'show',
    summary: 'show what is in a delta',
    load: async () => (await import('./repo/delta/show.ts')).showCommand(),
  },
  {
    name: 'verify',
    summary: 'verify the signatures of a delta',
    load: async () => (await import('./repo/delta/verify.ts')).verifyCommand(),
  },
];

/** Words behind `repo remote`. */
const REMOTE: readonly CommandEntry[] = [
  {
    name: 'add',
    summary: 'add a remote',
    load: async () => (await import('./repo/remote/add.ts')).remoteAddCommand(),
  },
  {
    name: 'delete',
    summary: 'delete a remote',
    load: async () => (await import('./repo/remote/manage.ts')).remoteDeleteCommand(),
  },
  {
    name: 'list',
    summary: 'list the remotes',
    load: async () => (await import('./repo/remote/manage.ts')).remoteListCommand(),
  },
  {
    name: 'show-url',
    summary: 'show the address of a remote',
    load: async () => (await import('./repo/remote/manage.ts')).remoteShowUrlCommand(),
  },
  {
    name: 'refs',
    summary: 'list the refs that a remote offers',
    load: async () => (await import('./repo/remote/offers.ts')).remoteRefsCommand(),
  },
  {
    name: 'summary',
    summary: 'show the summary of a remote',
    load: async () => (await import('./repo/remote/offers.ts')).remoteSummaryCommand(),
  },
  {
    name: 'gpg-import',
    summary: 'import OpenPGP keys for a remote',
    load: async () => (await import('./repo/remote/keys.ts')).remoteGpgImportCommand(),
  },
  {
    name: 'gpg-list-keys',
    summary: 'show the OpenPGP keys of a remote',
    load: async () => (await import('./repo/remote/keys.ts')).remoteGpgListKeysCommand(),
  },
  {
    name: 'add-cookie',
    summary: 'send a cookie to a remote',
    load: async () => (await import('./repo/remote/cookies.ts')).remoteAddCookieCommand(),
  },
  {
    name: 'delete-cookie',
    summary: 'delete a cookie of a remote',
    load: async () => (await import('./repo/remote/cookies.ts')).remoteDeleteCookieCommand(),
  },
  {
    name: 'list-cookies',
    summary: 'list the cookies of a remote',
    load: async () => (await import('./repo/remote/cookies.ts')).remoteListCookiesCommand(),
  },
];

/** The words of the `ostree` program, sorted by name. */
const REPO: readonly CommandEntry[] = [
  {
    name: 'cat',
    summary: 'show the contents of files of a commit',
    load: async () => (await import('./repo/cat.ts')).catCommand(),
  },
  {
    name: 'checkout',
    summary: 'put the tree of a commit on the disk',
    load: async () => (await import('./repo/checkout.ts')).checkoutCommand(),
  },
  {
    name: 'commit',
    summary: 'commit directories, archives and other commits',
    load: async () => (await import('./repo/commit.ts')).commitCommand(),
  },
  {
    name: 'config',
    summary: 'show or change settings of a repository',
    load: async () => (await import('./repo/config.ts')).configCommand(),
  },
  {
    name: 'delta',
    aliases: ['static-delta'],
    summary: 'make, apply and look at static deltas',
    description: 'Static deltas: one download that makes a commit out of another one, or out of nothing.',
    commands: DELTA,
  },
  {
    name: 'diff',
    summary: 'compare commits and directories',
    load: async () => (await import('./repo/diff.ts')).diffCommand(),
  },
  {
    name: 'fsck',
    summary: 'check the objects of a repository',
    load: async () => (await import('./repo/fsck.ts')).fsckCommand(),
  },
  {
    name: 'gpg-sign',
    summary: 'sign a commit with OpenPGP keys',
    load: async () => (await import('./repo/gpg-sign.ts')).gpgSignCommand(),
  },
  {
    name: 'init',
    summary: 'make a repository',
    load: async () => (await import('./repo/init.ts')).initCommand(),
  },
  {
    name: 'log',
    summary: 'show a commit and its ancestors',
    load: async () => (await import('./repo/log.ts')).logCommand(),
  },
  {
    name: 'ls',
    summary: 'list the files of a commit',
    load: async () => (await import('./repo/ls.ts')).lsCommand(),
  },
  {
    name: 'prune',
    summary: 'delete objects that nothing leads to',
    load: async () => (await import('./repo/prune.ts')).pruneCommand(),
  },
  {
    name: 'pull',
    summary: 'fetch commits from a remote',
    load: async () => (await import('./repo/pull.ts')).pullCommand(),
  },
  {
    name: 'pull-local',
    summary: 'copy commits from a repository on this machine',
    load: async () => (await import('./repo/pull-local.ts')).pullLocalCommand(),
  },
  {
    name: 'refs',
    summary: 'list, create and delete refs',
    load: async () => (await import('./repo/refs.ts')).refsCommand(),
  },
  { name: 'remote', summary: 'work with remotes', commands: REMOTE },
  {
    name: 'rev-parse',
    summary: 'show the checksum that a name stands for',
    load: async () => (await import('./repo/rev-parse.ts')).revParseCommand(),
  },
  {
    name: 'show',
    summary: 'show an object',
    load: async () => (await import('./repo/show.ts')).showCommand(),
  },
  {
    name: 'sign',
    summary: 'sign a commit with ed25519 keys, or verify signatures',
    load: async () => (await import('./repo/sign.ts')).signCommand(),
  },
  {
    name: 'summary',
    summary: 'write or show the summary of a repository',
    load: async () => (await import('./repo/summary.ts')).summaryCommand(),
  },
];

/** An administrator's skopeo, sorted by name. */
const IMAGE: readonly CommandEntry[] = [
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

/** The words that users of format v1 have in their scripts. */
const TAR: readonly CommandEntry[] = [
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
const CONTAINER: readonly CommandEntry[] = [
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
