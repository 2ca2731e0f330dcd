/** Pages for people. Each does a bounded amount of work, however large the repository is. */
import type { IncomingHttpHeaders } from 'node:http';
import { codeOf } from '../../../base/error.ts';
import {
  type Checksum,
  findEntry,
  listDeltas,
  listRefs,
  objectsOf,
  type Ref,
  type Repository,
} from '../../../ostree/index.ts';
import { type Body, textBody } from '../body.ts';
import type { BrowseRoute, Route } from '../target.ts';
import { browsePage } from './browse-page.ts';
import { type CommitFacts, rememberFacts } from './commit-facts.ts';
import { commitPage } from './commit-page.ts';
import { deltasPage, sizeOfDelta } from './delta-list.ts';
import { frontPage } from './front-page.ts';
import { sliceOf } from './layout.ts';
import { originOf } from './pull-commands.ts';
import { downloadBody } from './tree-file.ts';

type PageRoute = Extract<Route, { kind: 'front' | 'deltas' | 'commit' | 'browse' }>;

export interface Pages {
  /** Undefined: there is no such page. */
  render(route: PageRoute, headers: IncomingHttpHeaders): Promise<Body | undefined>;
}

const REFS_PER_PAGE = 25;
const DELTAS_PER_PAGE = 100;
const DELTAS_IN_FRONT = 10;
const ANCESTORS = 10;
/** Lists of all refs and all deltas are read that often at most. */
const LIST_MS = 2000;

export function openPages(repository: Repository): Pages {
  const site: PageSite = {
    repository,
    factsOf: rememberFacts(repository),
    refs: remembered(() => listRefs(repository).filter(({ place }) => place.kind !== 'remote')),
    deltas: remembered(() => listDeltas(repository)),
  };
  return { render: (route, headers) => render(site, route, headers) };
}

interface PageSite {
  readonly repository: Repository;
  factsOf(checksum: Checksum): Promise<CommitFacts | undefined>;
  refs(): readonly Ref[];
  deltas(): ReturnType<typeof listDeltas>;
}

function remembered<T>(read: () => T): () => T {
  let last: { readonly atMs: number; readonly value: T } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.atMs > LIST_MS)
      last = { atMs: performance.now(), value: read() };
    return last.value;
  };
}

async function render(site: PageSite, route: PageRoute, headers: IncomingHttpHeaders): Promise<Body | undefined> {
  try {
    if (route.kind === 'browse') return await browse(site, route);
    const text = await textOf(site, route, originOf(headers));
    return text === undefined ? undefined : page(text);
  } catch (error) {
    if (['OBJECT_MISSING', 'PATH_MISSING'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function page(text: string): Body {
  return textBody(text, { type: 'text/html; charset=utf-8', modified: undefined });
}

function textOf(site: PageSite, route: Exclude<PageRoute, BrowseRoute>, origin: string): Promise<string | undefined> {
  switch (route.kind) {
    case 'front':
      return front(site, route.page, origin);
    case 'deltas':
      return deltas(site, route.page);
    case 'commit':
      return commit(site, route.commit, origin);
  }
}

async function front(site: PageSite, number: number, origin: string): Promise<string | undefined> {
  const { repository } = site;
  const all = site.refs();
  const refs = sliceOf(all, number, REFS_PER_PAGE);
  if (refs === undefined) return undefined;
  const heads: (CommitFacts | string)[] = [];
  for (const ref of refs.shown) heads.push(await headOf(site, ref));
  const names = site.deltas();
  const deltas = names.slice(0, DELTAS_IN_FRONT).map((name) => sizeOfDelta(repository, name));
  return frontPage({
    repository,
    origin,
    refs: { ...refs, total: all.length },
    heads,
    deltas,
    deltaCount: names.length,
  });
}

/** One damaged commit does not take the list away. */
async function headOf({ factsOf }: PageSite, ref: Ref): Promise<CommitFacts | string> {
  try {
    return (await factsOf(ref.commit)) ?? 'not in this repository';
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code;
  }
}

async function deltas({ repository, deltas }: PageSite, number: number): Promise<string | undefined> {
  const slice = sliceOf(deltas(), number, DELTAS_PER_PAGE);
  return slice && deltasPage({ ...slice, shown: slice.shown.map((name) => sizeOfDelta(repository, name)) });
}

async function commit(site: PageSite, checksum: Checksum, origin: string): Promise<string | undefined> {
  const { repository, factsOf } = site;
  const facts = await factsOf(checksum);
  if (facts === undefined) return undefined;
  const ancestors: CommitFacts[] = [];
  for (let at: CommitFacts | undefined = facts; at !== undefined && ancestors.length < ANCESTORS; ) {
    const { parent }: CommitFacts['commit'] = at.commit;
    at = parent === undefined ? undefined : await factsOf(parent);
    if (at !== undefined) ancestors.push(at);
  }
  const related = site.deltas().filter(({ from, to }) => from === checksum || to === checksum);
  return commitPage({
    origin,
    facts,
    refs: site.refs().filter((ref) => ref.commit === checksum),
    deltas: related.slice(0, DELTAS_PER_PAGE).map((name) => sizeOfDelta(repository, name)),
    ancestors,
    isPartial: isPartial(repository, checksum),
  });
}

function isPartial({ directory }: Repository, checksum: Checksum): boolean {
  const state = directory.openDirectory('state');
  try {
    return state?.lstat(`${checksum}.commitpartial`) !== undefined;
  } finally {
    state?.close();
  }
}

async function browse({ repository }: PageSite, route: BrowseRoute): Promise<Body | undefined> {
  const reader = objectsOf(repository);
  const found = findEntry(reader, reader.commit(route.commit), route.path.join('/'));
  if ((found.kind === 'directory') !== route.isFolder) return undefined;
  if (found.kind === 'directory') {
    const text = browsePage(reader, { ...route, folder: found });
    return text === undefined ? undefined : page(text);
  }
  const stored = reader.file(found.checksum);
  if (stored.header.target === undefined) return downloadBody(stored, found.name, found.checksum);
  stored.close();
  return undefined;
}
