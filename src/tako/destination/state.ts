/**
 * What a destination remembers between runs: `DEST/.tako/state.json`, schema `tako.state/1`.
 *
 * Nothing in it is needed to verify anything: lost or damaged, it is as if empty. No secrets in it.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import { printable } from '../../base/text.ts';
import type { ProcessIdentity } from '../../linux/processes/process-identity.ts';

export const STATE_SCHEMA = 'tako.state/1';
/** A larger state file is damaged. */
export const STATE_LIMIT = 4 * 2 ** 20;
/** Older entries of the history are dropped. */
export const HISTORY_LIMIT = 200;

/** Why a version is not taken, or is the only one taken. */
export interface Mark {
  readonly version: string;
  readonly reason: 'rollback' | 'health' | 'hold';
  readonly at: string;
}

/** Units that are still to be restarted or reloaded for a switch of `latest`. */
export interface Owed {
  readonly restart: readonly string[];
  readonly reload: readonly string[];
  /** The image that was linked (hex), and the one before it. */
  readonly image: string;
  readonly previous: string | null;
  /** An update may be undone by a failed health check; a way back may not. */
  readonly reason: 'update' | 'rollback' | 'health';
  readonly at: string;
  /** Who is at it: while this process lives, nobody else restarts the same units. */
  readonly runner: ProcessIdentity | null;
}

export interface HistoryEntry {
  readonly at: string;
  readonly action: 'install' | 'update' | 'rollback' | 'health';
  readonly version: string;
  readonly sha256: string;
  readonly previousVersion: string | null;
  readonly result: 'done' | 'restart failed' | 'health failed' | 'pending';
}

/** Times are RFC 3339 in UTC, images lower-case hex. */
export interface State {
  /** Validator and origin (without credentials) of the stored manifest, for a conditional request. */
  readonly etag: string | null;
  readonly origin: string | null;
  readonly checkedAt: string | null;
  readonly changedAt: string | null;
  /** The last run that ended well. */
  readonly succeededAt: string | null;
  /** Checks that an option of the last run switched off. */
  readonly uncheckedLast: readonly string[];
  readonly previous: string | null;
  readonly owed: Owed | null;
  readonly hold: Mark | null;
  readonly skip: readonly Mark[];
  /** Digests of images that the last run found withdrawn (410). */
  readonly withdrawn: readonly string[];
  readonly history: readonly HistoryEntry[];
}

export const EMPTY_STATE: State = {
  etag: null,
  origin: null,
  checkedAt: null,
  changedAt: null,
  succeededAt: null,
  uncheckedLast: [],
  previous: null,
  owed: null,
  hold: null,
  skip: [],
  withdrawn: [],
  history: [],
};

export function encodeState(state: State): Uint8Array {
  const history = state.history.slice(-HISTORY_LIMIT);
  return Buffer.from(`${JSON.stringify({ schema: STATE_SCHEMA, ...state, history }, null, 2)}\n`);
}

export type DecodedState =
  | { readonly kind: 'state'; readonly state: State }
  /** Written by a program newer than this one; it is to be kept, not overwritten. */
  | { readonly kind: 'newer'; readonly schema: string }
  | { readonly kind: 'damaged'; readonly reason: string };

export async function decodeState(bytes: Uint8Array): Promise<DecodedState> {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { kind: 'damaged', reason: 'not UTF-8' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return {
      kind: 'damaged',
      reason: error instanceof Error ? printable(error.message.replace(/\s+/g, ' ')) : String(error),
    };
  }
  const schema = typeof json === 'object' && json !== null && 'schema' in json ? json.schema : undefined;
  const version = typeof schema === 'string' ? /^tako\.state\/([1-9][0-9]*)$/.exec(schema)?.[1] : undefined;
  if (version !== undefined && version !== '1') return { kind: 'newer', schema: String(schema) };
  const { parseStateDocument } = await import('./state-schema.ts');
  return parseStateDocument(json);
}
