/** `ostree-container repo`: the words and options of the program `ostree`. */
import type { CommandEntry } from '../command-table.ts';

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
export const REPO: readonly CommandEntry[] = [
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
