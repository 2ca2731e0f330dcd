/** The distribution specification 1.1, as far as a client can see it: from a request to an answer. */
import { randomUUID } from 'node:crypto';
import { type Answer, failure } from './faults.ts';
import { digestOf, type Repository, type Store } from './store.ts';

/** What this registry can do; all on by default. */
export interface Abilities {
  /** Off: 404 for the API, and no `OCI-Subject`. */
  readonly referrers?: boolean | undefined;
  /** Off: 405 for every HEAD. */
  readonly head?: boolean | undefined;
  /** Off: a mount becomes an ordinary upload. */
  readonly mount?: boolean | undefined;
  /** Off: PATCH is refused, and there are only whole uploads. */
  readonly chunked?: boolean | undefined;
  readonly delete?: boolean | undefined;
  /** Most tags or referrers in one answer, whatever `n` says. */
  readonly pageSize?: number | undefined;
}

export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
  /** Answer with the whole blob whatever `Range` says. */
  readonly ignoreRange: boolean;
}

/** `/v2/NAME/KIND/REST` taken apart; undefined for other paths. */
export interface Place {
  readonly name: string;
  readonly kind: 'blobs' | 'uploads' | 'manifests' | 'tags' | 'referrers';
  readonly rest: string;
}

export function placeOf(path: string): Place | undefined {
  const form = /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/;
  const [, name, kind, rest] = form.exec(path) ?? [];
  if (name === undefined || kind === undefined || rest === undefined) return undefined;
  return { name, kind: (kind === 'blobs/uploads' ? 'uploads' : kind) as Place['kind'], rest: decodeURIComponent(rest) };
}

/** The rights that a request takes, the repository of a mount's blob among them. */
export function rightsOf(
  { method, url }: Pick<Request, 'method' | 'url'>,
  place: Place,
): (readonly [string, string])[] {
  const { name, kind } = place;
  if (method === 'DELETE' && kind !== 'uploads') return [[name, 'delete']];
  if (method === 'GET' && kind !== 'uploads') return [[name, 'pull']];
  if (method === 'HEAD') return [[name, 'pull']];
  const from = url.searchParams.get('from');
  return [[name, 'pull'], [name, 'push'], ...(from === null ? [] : [[from, 'pull'] as const])];
}

export function answerTo(request: Request, place: Place, store: Store, can: Abilities): Answer {
  if (request.method === 'HEAD' && can.head === false) return failure(405, 'UNSUPPORTED', 'no HEAD here');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && place.kind !== 'uploads' && place.kind !== 'referrers' && !store.repositories.has(place.name)) {
    return failure(404, 'NAME_UNKNOWN', 'repository name not known to registry', { name: place.name });
  }
  const repository = store.repository(place.name);
  switch (place.kind) {
    case 'blobs':
      return blob(request, place.rest, repository, can);
    case 'uploads':
      return upload(request, place, repository, store, can);
    case 'manifests':
      return manifest(request, place, repository, can);
    case 'tags':
      return tags(request, place.name, repository, can);
    case 'referrers':
      return referrers(request, place.rest, repository, can);
  }
}

function blob(
  { method, headers, ignoreRange }: Request,
  digest: string,
  { blobs }: Repository,
  can: Abilities,
): Answer {
  const whole = blobs.get(digest);
  if (whole === undefined) return failure(404, 'BLOB_UNKNOWN', 'blob unknown to registry', digest);
  if (method === 'DELETE') {
    if (can.delete === false) return failure(405, 'UNSUPPORTED', 'the operation is unsupported');
    blobs.delete(digest);
    return { status: 202 };
  }
  const common = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest, etag: `"${digest}"` };
  const [, first, last] = /^bytes=([0-9]+)-([0-9]*)$/.exec(String(headers['range'] ?? '')) ?? [];
  if (first === undefined || ignoreRange) {
    return { status: 200, headers: { ...common, 'accept-ranges': 'bytes' }, body: whole };
  }
  const start = Number(first);
  const end = Math.min(last === '' ? whole.length : Number(last) + 1, whole.length);
  if (start >= whole.length) {
    const { status, body } = failure(416, 'RANGE_INVALID', 'range beyond the end');
    return { status, headers: { 'content-range': `bytes */${whole.length}` }, body };
  }
  const range = { 'content-range': `bytes ${start}-${end - 1}/${whole.length}` };
  return { status: 206, headers: { ...common, ...range }, body: whole.subarray(start, end) };
}

function upload(request: Request, place: Place, repository: Repository, store: Store, can: Abilities): Answer {
  const { method, url, body } = request;
  const { name, rest: id } = place;
  const asked = (word: string): string | undefined => url.searchParams.get(word) ?? undefined;
  if (method === 'POST') {
    const [mount, from] = [asked('mount'), asked('from')];
    const found =
      mount === undefined || from === undefined ? undefined : store.repositories.get(from)?.blobs.get(mount);
    if (found !== undefined && mount !== undefined && can.mount !== false)
      return stored(repository, name, mount, found);
    const digest = asked('digest');
    if (digest !== undefined) return finished(repository, name, digest, body);
    const session = randomUUID();
    repository.uploads.set(session, []);
    return progress(name, session, 0, 202);
  }
  const parts = repository.uploads.get(id);
  if (parts === undefined) return failure(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  if (method === 'GET') return progress(name, id, size, 204);
  if (method === 'DELETE') {
    repository.uploads.delete(id);
    return { status: 204 };
  }
  if (method === 'PATCH' && can.chunked === false) return failure(405, 'UNSUPPORTED', 'only whole uploads here');
  const start = /^([0-9]+)-/.exec(String(request.headers['content-range'] ?? ''))?.[1];
  if (start !== undefined && Number(start) !== size) {
    const { headers } = progress(name, id, size, 416);
    return { ...failure(416, 'RANGE_INVALID', `the upload is at ${size}`), headers };
  }
  parts.push(body);
  if (method === 'PATCH') return progress(name, id, size + body.length, 202);
  repository.uploads.delete(id);
  return finished(repository, name, asked('digest') ?? '', Buffer.concat(parts));
}

/** `Range` of an upload without bytes is `0-0`, as that of one with a single byte: so docker-registry has it. */
function progress(name: string, session: string, size: number, status: number): Answer {
  const location = `/v2/${name}/blobs/uploads/${session}?_state=opaque`;
  const headers = { location, range: `0-${Math.max(size - 1, 0)}`, 'docker-upload-uuid': session };
  return { status, headers: { ...headers, 'content-length': '0' } };
}

function finished(repository: Repository, name: string, digest: string, bytes: Buffer): Answer {
  const [algorithm = ''] = digest.split(':');
  const isKnown = algorithm === 'sha256' || algorithm === 'sha512';
  if (!isKnown || digestOf(bytes, algorithm) !== digest) {
    return failure(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  }
  return stored(repository, name, digest, bytes);
}

function stored(repository: Repository, name: string, digest: string, bytes: Buffer): Answer {
  repository.blobs.set(digest, bytes);
  return { status: 201, headers: { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest } };
}

function manifest(request: Request, { name, rest }: Place, repository: Repository, can: Abilities): Answer {
  const { method, body, headers } = request;
  const { manifests, tags } = repository;
  if (method === 'PUT')
    return putManifest(body, String(headers['content-type'] ?? ''), { name, rest }, repository, can);
  const digest = rest.includes(':') ? rest : (tags.get(rest) ?? '');
  const found = manifests.get(digest);
  if (found === undefined) return failure(404, 'MANIFEST_UNKNOWN', 'manifest unknown', { tag: rest });
  if (method === 'DELETE') {
    if (can.delete === false) return failure(405, 'UNSUPPORTED', 'the operation is unsupported');
    tags.delete(rest);
    if (rest === digest) manifests.delete(digest);
    for (const [tag, target] of tags) if (target === rest) tags.delete(tag);
    return { status: 202 };
  }
  return {
    status: 200,
    headers: { 'content-type': found.mediaType, 'docker-content-digest': digest },
    body: found.bytes,
  };
}

interface Referring {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly annotations?: Record<string, string>;
  readonly subject?: { readonly digest?: string };
  readonly config?: { readonly digest?: string; readonly mediaType?: string };
  readonly layers?: readonly { readonly digest?: string; readonly urls?: unknown }[];
  readonly manifests?: readonly { readonly digest?: string }[];
}

function putManifest(
  bytes: Buffer,
  mediaType: string,
  { name, rest }: Pick<Place, 'name' | 'rest'>,
  { blobs, manifests, tags }: Repository,
  can: Abilities,
): Answer {
  const content = parsed(bytes);
  if (content === undefined) return failure(400, 'MANIFEST_INVALID', 'manifest invalid');
  const digest = digestOf(bytes, rest.startsWith('sha512:') ? 'sha512' : 'sha256');
  if (rest.includes(':') && rest !== digest) return failure(400, 'DIGEST_INVALID', 'another digest than in the path');
  const local = (content.layers ?? []).filter(({ urls }) => urls === undefined);
  const parts = [...(content.config === undefined ? [] : [content.config]), ...local];
  const missing =
    parts.find((part) => !blobs.has(part.digest ?? '')) ??
    content.manifests?.find((member) => !manifests.has(member.digest ?? ''));
  if (missing !== undefined) return failure(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry', missing);
  manifests.set(digest, { bytes, mediaType });
  if (!rest.includes(':')) tags.set(rest, digest);
  const subject = can.referrers === false ? undefined : content.subject?.digest;
  const headers = { location: `/v2/${name}/manifests/${digest}`, 'docker-content-digest': digest };
  return { status: 201, headers: { ...headers, 'oci-subject': subject } };
}

function parsed(bytes: Buffer): Referring | undefined {
  try {
    return JSON.parse(bytes.toString()) as Referring;
  } catch {
    return undefined; // no JSON, which is all that is asked here
  }
}

function tags({ url }: Request, name: string, repository: Repository, can: Abilities): Answer {
  const all = [...repository.tags.keys()].sort();
  const last = url.searchParams.get('last');
  const rest = last === null ? all : all.filter((tag) => tag > last);
  const wanted = url.searchParams.get('n');
  const size = Math.min(wanted === null ? all.length : Number(wanted), can.pageSize ?? all.length);
  const page = rest.slice(0, size);
  const more = page.length < rest.length && page.length > 0;
  const link = `</v2/${name}/tags/list?n=${size}&last=${encodeURIComponent(page.at(-1) ?? '')}>; rel="next"`;
  const headers = { 'content-type': 'application/json', link: more ? link : undefined };
  return { status: 200, headers, body: JSON.stringify({ name, tags: page }) };
}

const INDEX = 'application/vnd.oci.image.index.v1+json';

function referrers({ url }: Request, digest: string, { manifests }: Repository, can: Abilities): Answer {
  if (can.referrers === false) return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'not found' };
  const type = url.searchParams.get('artifactType');
  const all = [...manifests].flatMap(([of, { bytes, mediaType }]) => {
    const content = parsed(bytes);
    if (content?.subject?.digest !== digest) return [];
    const artifactType = content.artifactType ?? content.config?.mediaType;
    if (type !== null && artifactType !== type) return [];
    return [{ mediaType, digest: of, size: bytes.length, artifactType, annotations: content.annotations }];
  });
  const from = Number(url.searchParams.get('page') ?? 0);
  const size = can.pageSize ?? Math.max(all.length, 1);
  const page = all.slice(from * size, (from + 1) * size);
  const next = new URL(url);
  next.searchParams.set('page', String(from + 1));
  const headers = {
    'content-type': INDEX,
    'oci-filters-applied': type === null ? undefined : 'artifactType',
    link: (from + 1) * size < all.length ? `<${next.pathname}${next.search}>; rel="next"` : undefined,
  };
  return { status: 200, headers, body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: page }) };
}
