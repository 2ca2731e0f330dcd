/** The newest manifest that the origins offer and the stored one allows. */
import { codeOf, explain } from '../../base/error.ts';
import type { Progress } from '../../base/progress.ts';
import { TakoError } from '../error.ts';
import type { PublicKey } from '../manifest/key.ts';
import { type Manifest, openManifest } from '../manifest/manifest.ts';
import { relate } from '../manifest/relation.ts';
import type { Origin, ReceivedManifest } from './origin.ts';

export interface Known {
  readonly manifest: Manifest;
  /** Validator of the stored manifest, and the origin that gave it. */
  readonly etag: string | null;
  readonly origin: string | null;
}

export interface Received {
  readonly manifest: Manifest;
  readonly etag: string | null;
  readonly origin: string;
}

export interface ReceivePorts {
  readonly origins: readonly Origin[];
  readonly keys: readonly PublicKey[];
  readonly progress: Progress;
  readonly gravity: (error: unknown) => number;
}

/**
 * Ask the origins in their order; the first acceptable answer counts.
 *
 * An origin that cannot be reached, or serves a damaged or older manifest, is skipped with a warning. A well-signed
 * manifest that contradicts the stored one ends the run: the key holder has said two things.
 * @throws TakoError NOT_A_SUPERSET at once, else the gravest error of all origins
 */
export async function receiveManifest(
  known: Known | undefined,
  ports: ReceivePorts,
  signal: AbortSignal,
): Promise<Received> {
  let worst: unknown;
  for (const origin of ports.origins) {
    try {
      return await ask(origin, known, ports.keys, signal);
    } catch (error) {
      if (signal.aborted || codeOf(error) === 'NOT_A_SUPERSET') throw error;
      if (ports.origins.length > 1) ports.progress({ kind: 'warning', text: `${origin.shown}: ${explain(error)}` });
      if (worst === undefined || ports.gravity(error) > ports.gravity(worst)) worst = error;
    }
  }
  throw worst ?? new Error('unreachable: a configuration without origins');
}

async function ask(
  origin: Origin,
  known: Known | undefined,
  keys: readonly PublicKey[],
  signal: AbortSignal,
): Promise<Received> {
  const etag = known?.origin === origin.shown ? (known.etag ?? undefined) : undefined;
  const answer = await origin.readManifest(etag, signal);
  if (answer.kind === 'unchanged') {
    if (known === undefined) throw new Error('unreachable: "not modified" to a question without condition');
    return { manifest: known.manifest, etag: known.etag, origin: origin.shown };
  }
  const manifest = openRemote(answer.bytes, origin, keys);
  assertSuperset(known?.manifest, manifest, origin);
  return { manifest, etag: usable(answer), origin: origin.shown };
}

function openRemote(bytes: Uint8Array, origin: Origin, keys: readonly PublicKey[]): Manifest {
  try {
    return openManifest(bytes, keys);
  } catch (cause) {
    if (!(cause instanceof TakoError)) throw cause;
    throw new TakoError(cause.code, `remote ${explain(cause)}`, { subject: `${origin.shown}manifest` });
  }
}

function assertSuperset(stored: Manifest | undefined, remote: Manifest, origin: Origin): void {
  if (stored === undefined) return;
  const relation = relate(stored.entries, remote.entries);
  if (relation === 'superset') return;
  if (relation === 'older') {
    throw new TakoError('OLDER_MANIFEST', 'remote manifest is not a superset of the local one: it is an older one', {
      hint: 'the origin was rolled back or is stale; the local manifest and image are kept',
      subject: `${origin.shown}manifest`,
    });
  }
  throw new TakoError('NOT_A_SUPERSET', 'remote manifest is not a superset of the local one: it contradicts it', {
    hint: 'both are signed by a configured key: ask the publisher; the local manifest and image are kept',
    subject: `${origin.shown}manifest`,
  });
}

/** A tag that is longer than any server's would only bloat the state. */
function usable(answer: Extract<ReceivedManifest, { kind: 'document' }>): string | null {
  return answer.etag !== undefined && answer.etag.length <= 1024 ? answer.etag : null;
}
