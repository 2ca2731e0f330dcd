/**
 * What follows `containers-storage:`, `[DRIVER@ROOT+RUNROOT:OPTION,...]NAME` with every part but one of name and id
 * left out at will. Source: containers-transports(5).
 */
import { quote } from '../../base/text.ts';
import { isDigest } from '../digest.ts';
import { type NamedReference, parseNamed, withDefaultTag } from '../reference.ts';
import { StorageError } from './error.ts';

export interface StorageName {
  /** Undefined: as the configuration says. */
  readonly store: StoreSpec | undefined;
  readonly named: NamedReference | undefined;
  /** Hex, or the beginning of it. */
  readonly id: string | undefined;
}

export interface StoreSpec {
  readonly driver: string | undefined;
  readonly root: string;
  /** `overlay.imagestore=/PATH` and others. */
  readonly options: readonly string[];
}

/** As the tools have it: less would be a name by accident. */
const SHORTEST_ID = 3;

/** @throws StorageError BAD_STORAGE_NAME; OciError BAD_REFERENCE, INVALID_DIGEST */
export function parseStorageName(text: string): StorageName {
  const [, spec, image = text] = /^\[([^\]]*)\](.*)$/s.exec(text) ?? [];
  if (spec === undefined && text.startsWith('[')) throw bad(text, 'the ] is missing');
  if (image === '') throw bad(text, 'there is no name of an image');
  return { store: spec === undefined || spec === '' ? undefined : parseStore(spec, text), ...parseImage(image, text) };
}

/** The run root, which holds locks of containers, is of no use here. */
function parseStore(spec: string, text: string): StoreSpec {
  const at = spec.indexOf('@');
  const driver = spec.slice(0, Math.max(at, 0));
  const place = spec.slice(at + 1);
  const colon = place.indexOf(':');
  const roots = colon < 0 ? place : place.slice(0, colon);
  const options = colon < 0 ? '' : place.slice(colon + 1);
  const [root = '', runRoot = '/'] = roots.split('+', 2);
  if (at === 0) throw bad(text, 'there is no driver before the @');
  if (!root.startsWith('/') || !runRoot.startsWith('/')) throw bad(text, 'the storage needs an absolute path');
  return {
    driver: driver === '' ? undefined : driver,
    root,
    options: options.split(',').filter((option) => option !== ''),
  };
}

function parseImage(image: string, text: string): Pick<StorageName, 'named' | 'id'> {
  const at = image.lastIndexOf('@');
  const last = image.slice(at + 1);
  if (at < 0 || isDigest(last)) return { named: withDefaultTag(parseNamed(image)), id: undefined };
  if (!/^[0-9a-f]+$/.test(last) || last.length < SHORTEST_ID || last.length > 64) {
    throw bad(text, `${quote(last)} is neither a digest nor the id of an image`);
  }
  return { named: at === 0 ? undefined : withDefaultTag(parseNamed(image.slice(0, at))), id: last };
}

function bad(text: string, why: string): StorageError {
  return new StorageError('BAD_STORAGE_NAME', `containers-storage:${quote(text).slice(1, -1)}: ${why}`, {
    subject: text,
    hint: 'for example containers-storage:localhost/app:v1, or containers-storage:[overlay@/srv/storage]localhost/app:v1',
  });
}
