/** Storages of tests, images in layouts, and pulls that are told of nothing but them. */
import { join } from 'node:path';
import { type MadeImage, makeImage, type SampleEntry, type SampleImage } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { openImages } from '../../images/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import { type Checksum, MutableTree, objectsOf, type Repository } from '../../ostree/index.ts';
import type { ActionLog } from '../host.ts';
import { type PulledImage, type PullRequest, pullImage } from '../pull/index.ts';
import { openStorage } from './index.ts';

interface Test {
  after(fn: () => void): void;
}

export const SIGNAL: AbortSignal = new AbortController().signal;
/** Nothing is flushed: no test here cuts the power. */
export const OPTIONS = { signal: SIGNAL, fsync: false } as const;

export function newStorage(t: Test, repositoryMode: 'bare' | 'bare-user' = 'bare'): Repository {
  const checkouts = join(scratch(t), 'atomic');
  const places = { checkouts, repository: join(checkouts, '.storage/repo'), repositoryMode };
  const repository = openStorage(places, { create: true });
  t.after(() => repository.close());
  return repository;
}

/** In a layout of its own. @returns with its name for `pull` */
export async function imageIn(
  t: Test,
  layers: readonly (readonly SampleEntry[])[],
  more: SampleImage & { readonly directory?: string } = {},
): Promise<MadeImage & { readonly name: string; readonly directory: string }> {
  const directory = more.directory ?? join(scratch(t), 'app');
  const tag = more.tag ?? 'v1';
  return { ...(await makeImage(directory, { ...more, layers, tag })), directory, name: `oci:${directory}:${tag}` };
}

export function pullRequest(t: Test, reference: string, more: Partial<PullRequest> = {}): PullRequest {
  const images = openImages({
    http: { userAgent: 'test' },
    onNote: () => undefined,
    env: { HOME: '/nonexistent' },
    uid: 0,
    tlsVerify: more.insecure === true ? false : undefined,
  });
  t.after(() => void images.close());
  return {
    reference,
    images,
    policy: undefined,
    requireSignature: false,
    insecure: false,
    platform: hostPlatform(),
    access: undefined,
    threads: 0,
    progress: () => undefined,
    now: 1_600_000_000_000,
    ...OPTIONS,
    ...more,
  };
}

export function pulled(
  t: Test,
  repository: Repository,
  reference: string,
  more: Partial<PullRequest> = {},
): Promise<PulledImage> {
  return pullImage(repository, pullRequest(t, reference, more));
}

/** Paths of a commit: mode, owner when it is not root, and content or target. */
export function listed(repository: Repository, commit: Checksum): Record<string, string> {
  const reader = objectsOf(repository);
  const all: Record<string, string> = {};
  const visit = (at: MutableTree, path: string): void => {
    for (const [name, entry] of at.entries()) {
      const inner = path === '' ? name : `${path}/${name}`;
      if (entry instanceof MutableTree) {
        const { mode } = reader.dirMeta(entry.meta ?? '');
        all[`${inner}/`] = (mode & 0o7777).toString(8);
        visit(entry, inner);
      } else all[inner] = describe(reader.file(entry));
    }
  };
  visit(MutableTree.of(reader, reader.commit(commit)), '');
  return all;
}

function describe(stored: ReturnType<ReturnType<typeof objectsOf>['file']>): string {
  try {
    const { target, mode } = stored.header;
    if (target !== undefined) return `-> ${target}`;
    return `${(mode & 0o7777).toString(8)} ${Buffer.from(stored.bytes()).toString('latin1')}`.trimEnd();
  } finally {
    stored.close();
  }
}

export interface Lines {
  readonly log: ActionLog;
  readonly actions: string[];
  readonly warnings: string[];
}

export function lines(): Lines {
  const actions: string[] = [];
  const warnings: string[] = [];
  const log = {
    action: (line: string) => void actions.push(line),
    detail: () => undefined,
    warning: (line: string) => void warnings.push(line),
  };
  return { log, actions, warnings };
}
