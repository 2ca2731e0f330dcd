/**
 * `.state/NAME.journal`: a switch that has begun. It is written before anything on the host changes, and its removal is
 * the moment from which the switch counts: a run that is killed before leaves it to the next command on NAME, which
 * finishes the removal of a container and takes everything else back.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import { formatDocument, type Json } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { replaceFile } from '../../linux/files/durable.ts';
import { readBounded } from '../../linux/files/read.ts';
import { ContainerError } from '../error.ts';
import type { HostPlan } from '../host-files/index.ts';
import type { Places } from '../places/places.ts';
import { withExistingState } from './state-directory.ts';

const SCHEMA = 'os-containers.journal/1';
/** When it is done host files, units and the link may be changed, and all of that is taken back. */
export const LAST_HARMLESS_STEP = 'stop';
/** The info file of one deployment is the largest part. */
const LIMIT = 64 * 2 ** 20;

export type Operation = 'install' | 'update' | 'rollback' | 'uninstall';
const OPERATIONS: readonly string[] = ['install', 'update', 'rollback', 'uninstall'] satisfies Operation[];

export interface Journal {
  readonly operation: Operation;
  readonly name: string;
  /** Slot that was active; undefined: none, or none that could be read. */
  readonly from: number | undefined;
  /** Slot that is to be; undefined: none. */
  readonly to: number | undefined;
  /** `to` had a deployment already: it is put aside under `.state/NAME.displaced` before the new one takes its place. */
  readonly displaces: boolean;
  /** The info file of `to` as it was, when the operation rewrites it. */
  readonly infoBefore: string | undefined;
  /** What had become of host files before, so that it is the same again when all is taken back. */
  readonly hostFiles: Pick<HostPlan, 'gone' | 'before'>;
  readonly wasActive: boolean;
  readonly wasEnabled: boolean;
  /** Of `uninstall`. */
  readonly purge: boolean;
  /** `back`: the work failed, and is being taken back. */
  readonly direction: 'forward' | 'back';
  /** Names of steps that are done, up to the last that changes nothing but the state of the service. */
  readonly steps: readonly string[];
}

type Fields = { readonly [key: string]: Json | undefined };

const fileOf = (name: string): string => `${name}.journal`;
const temporaryOf = (name: string): string => `.${fileOf(name)}.tmp`;

export function formatJournal(journal: Journal): string {
  const {
    operation,
    name,
    from,
    to,
    displaces,
    infoBefore,
    hostFiles,
    wasActive,
    wasEnabled,
    purge,
    direction,
    steps,
  } = journal;
  return formatDocument(SCHEMA, {
    ...{ operation, name, from: from ?? null, to: to ?? null, displaces, infoBefore: infoBefore ?? null },
    ...{
      hostFiles: {
        gone: [...hostFiles.gone],
        before: { edited: [...hostFiles.before.edited], owners: hostFiles.before.owners },
      },
      wasActive,
      wasEnabled,
      purge,
      direction,
      steps: [...steps],
    },
  });
}

/** @param path for messages @throws ContainerError BAD_JOURNAL */
export function parseJournal(bytes: Uint8Array, path: string): Journal {
  const fields = parseObject(bytes);
  if (fields === undefined || fields['schema'] !== SCHEMA) throw bad(path, `it is no ${SCHEMA}`);
  const { operation, name, from, to, infoBefore, direction, steps } = fields;
  if (typeof operation !== 'string' || !isOperation(operation)) throw bad(path, 'its operation is unknown');
  if (typeof name !== 'string') throw bad(path, 'it names no container');
  if (!isSlot(from) || !isSlot(to)) throw bad(path, 'a slot is no number');
  if (direction !== 'forward' && direction !== 'back') throw bad(path, 'its direction is unknown');
  if (!isTexts(steps)) throw bad(path, 'its steps are no list');
  const flag = (key: string): boolean => {
    const value = fields[key];
    if (typeof value !== 'boolean') throw bad(path, `${key} is neither true nor false`);
    return value;
  };
  return {
    ...{ operation, name, from: from ?? undefined, to: to ?? undefined, direction, steps },
    hostFiles: hostFilesIn(fields['hostFiles'], path),
    ...{ displaces: flag('displaces'), wasActive: flag('wasActive'), wasEnabled: flag('wasEnabled') },
    purge: flag('purge'),
    infoBefore: typeof infoBefore === 'string' ? infoBefore : undefined,
  };
}

/** Modes and owners are those that `Before` of the domain host-files tells of. */
function hostFilesIn(value: Json | undefined, path: string): Journal['hostFiles'] {
  const { gone, before } = isObject(value) ? value : {};
  const { edited, owners } = isObject(before) ? before : {};
  if (!isTexts(gone) || !isTexts(edited) || !isObject(owners)) throw bad(path, 'its host files are not as expected');
  const pairs = Object.entries(owners).map(([file, owner]) => {
    const [mode, uid, gid] = Array.isArray(owner) ? owner : [];
    if (!isId(mode) || !isId(uid) || !isId(gid)) throw bad(path, `the owner of ${printable(file)} is not as expected`);
    return [file, [mode, uid, gid] as const] as const;
  });
  return { gone, before: { edited, owners: Object.fromEntries(pairs) } };
}

function parseObject(bytes: Uint8Array): Fields | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value as Json) ? (value as Fields) : undefined;
  } catch {
    return undefined; // the caller says what it expected
  }
}

const isOperation = (text: string): text is Operation => OPERATIONS.includes(text);
const isTexts = (value: Json | undefined): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
const isObject = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: Json | undefined): value is number => typeof value === 'number' && Number.isSafeInteger(value);
const isSlot = (value: Json | undefined): value is number | null =>
  value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);

function bad(path: string, why: string): ContainerError {
  return new ContainerError('BAD_JOURNAL', `${printable(path)}: not a journal: ${why}`, {
    hint: 'remove it when you know that no command on the container was interrupted',
    subject: path,
  });
}

/** Of a switch that was interrupted, or is at work under the container's lock. @throws ContainerError BAD_JOURNAL */
export function readJournal(places: Pick<Places, 'state'>, name: string): Journal | undefined {
  return withExistingState(places, (state) => {
    const file = readBounded(state, fileOf(name), LIMIT);
    return file === undefined ? undefined : parseJournal(file.bytes, state.pathOf(fileOf(name)));
  });
}

/** A journal that is being written, step by step. */
export class OpenJournal {
  readonly #state: Directory;
  #content: Journal;

  /** Written at once, and flushed: from now on an interrupted run can be told. */
  constructor(state: Directory, content: Journal) {
    this.#state = state;
    this.#content = content;
    this.#write();
  }

  get content(): Journal {
    return this.#content;
  }

  /** Written only where the next run has to know it: a flush for each of the others would be most of an installation. */
  done(step: string): void {
    this.#content = { ...this.#content, steps: [...this.#content.steps, step] };
    if (step === LAST_HARMLESS_STEP) this.#write();
  }

  turnBack(): void {
    this.#content = { ...this.#content, direction: 'back' };
    this.#write();
  }

  /** The switch counts, or is taken back: in both cases nobody has to look after it any more. */
  close(): void {
    this.#state.unlink(fileOf(this.#content.name));
    this.#state.sync();
  }

  #write(): void {
    const file = fileOf(this.#content.name);
    const [target, temporary] = [
      { directory: this.#state, name: file },
      { directory: this.#state, name: temporaryOf(this.#content.name) },
    ];
    replaceFile(target, temporary, Buffer.from(formatJournal(this.#content)), 0o600);
  }
}

/** What a run has left that was killed while it wrote its journal for the first time. */
export function sweepJournal(state: Directory, name: string): void {
  state.unlink(temporaryOf(name));
}

/** What cannot be read goes, so that a container can be removed whatever its journal looks like. */
export function forgetJournal(state: Directory, name: string): void {
  state.unlink(fileOf(name));
  state.sync();
}
