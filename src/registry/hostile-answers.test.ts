/** Whatever a registry answers, there is a value or an error with a code, and soon. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../test/support/mutate.ts';
import { CodedError } from '../base/error.ts';
import { digestOf, MEDIA, type RawManifest, rawManifest } from '../oci/index.ts';
import type { RegistryRepository } from './index.ts';
import { bench, descriptorOf, drained, never, noise, sourceOf } from './registry.fixture.ts';

const STATUSES = [200, 200, 200, 201, 202, 204, 206, 301, 307, 400, 401, 401, 403, 404, 405, 416, 429, 503];
const BLOB = noise(2_000_000);
const DESCRIPTOR = descriptorOf(BLOB);
const RAW = rawManifest(Buffer.from('{"schemaVersion":2,"layers":[]}'), MEDIA.ociManifest);
const INDEX = JSON.stringify({
  schemaVersion: 2,
  mediaType: MEDIA.ociIndex,
  manifests: [{ mediaType: MEDIA.ociManifest, digest: RAW.digest, size: 31, artifactType: 'a/b' }],
});
const BODIES = [
  INDEX,
  '{"tags":["a","b"]}',
  '{"token":"abc","expires_in":60}',
  '{"errors":[{"code":"A","message":"b"}]}',
  '',
];
const HEADERS: readonly (readonly [string, string])[] = [
  ['content-type', MEDIA.ociIndex],
  ['content-type', MEDIA.ociManifest],
  ['docker-content-digest', RAW.digest],
  ['location', '/v2/team/app/blobs/uploads/1?s=t'],
  ['range', '0-999999'],
  ['content-range', 'bytes 0-1999999/2000000'],
  ['oci-chunk-min-length', '5000000'],
  ['link', '</v2/team/app/tags/list?n=2>; rel="next"'],
  ['warning', '299 - "careful"'],
  ['www-authenticate', 'Bearer realm="http://REALM/token",service="x",scope="repository:team/app:pull"'],
  ['oci-subject', RAW.digest],
];

const QUESTIONS: Readonly<Record<string, (repository: RegistryRepository) => Promise<unknown>>> = {
  tags: (repository) => repository.listTags(never),
  referrers: (repository) => repository.referrers(RAW.digest, 'a/b', never),
  'a manifest': (repository) => repository.getManifest('v1', never),
  'the head of a manifest': (repository) => repository.headManifest('v1', never),
  'a blob': (repository) => drained(repository.readBlob(DESCRIPTOR, 1000, never)),
  'a mount': (repository) => repository.mountBlob(DESCRIPTOR.digest, 'other', never),
  'an upload': (repository) => repository.putBlob(DESCRIPTOR, sourceOf(BLOB, 100_000).source, never),
  'a push': (repository) => repository.putManifest(RAW as RawManifest, 'v1', never),
  'a new referrer': (repository) => repository.addReferrer(digestOf(BLOB), descriptorOf(RAW.bytes), never),
};

function nonsense(random: (below: number) => number, host: string) {
  const pick = <T>(list: readonly T[], otherwise: T): T => list[random(list.length)] ?? otherwise;
  const damaged = (text: string): Buffer => (random(3) === 0 ? mutate(Buffer.from(text), random) : Buffer.from(text));
  return (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    const status = pick(STATUSES, 200);
    const headers: Record<string, string> = {};
    for (let i = random(6); i > 0; i--) {
      const [name, value] = pick(HEADERS, ['x', 'y']);
      headers[name] = damaged(value.replace('REALM', host))
        .toString('latin1')
        .replace(/[^\x20-\x7e]/g, '?');
    }
    const body = request.method === 'HEAD' || status === 204 ? '' : damaged(pick(BODIES, ''));
    response.writeHead(status, headers).end(body);
  };
}

describe('a registry that answers anything', () => {
  for (const [what, ask] of Object.entries(QUESTIONS)) {
    it(`gets no further with ${what} than an error with a code`, async (t) => {
      const random = seededRandom(what.length);
      const { server, registry } = await bench(t, {
        client: { uploadRetry: { retries: 2, delayMs: 1 } },
        http: { retries: 1, maxRetryAfterMs: 10 },
      });
      server.fault({ path: '/' }, { kind: 'custom', handle: nonsense(random, server.host) });
      const seen = new Set<string>();
      for (let i = 0; i < 60; i++) {
        const repository = registry.repository('team/app');
        seen.add(
          await ask(repository).then(
            () => 'a value',
            (error: unknown) => {
              assert.ok(error instanceof CodedError, String((error as Error).stack));
              return error.code;
            },
          ),
        );
      }
      assert.ok(seen.size > 1, [...seen].join());
    });
  }
});
