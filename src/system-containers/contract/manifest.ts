/**
 * `exports/manifest.json`: the settings of an image (spec system-containers 9). All keys may be missing; null stands for
 * a missing one. Unknown keys are left alone: images for other programs have some.
 */
import { decodeUtf8 } from '../../base/decode.ts';
import { explain } from '../../base/error.ts';
import { ContainerError } from '../error.ts';

export interface ContainerManifest {
  /** Of the format or of the image, nobody knows. */
  readonly version: string | undefined;
  /** Defaults of template variables; numbers as they are written, `true` and `false` as these words. */
  readonly defaultValues: ReadonlyMap<string, string>;
  /** Host path, of a file or of a directory, to its final path; in the latter variables are not replaced yet. */
  readonly renameFiles: ReadonlyMap<string, string>;
  /** Host paths (before or after renaming) whose content is a template. */
  readonly installedFilesTemplate: readonly string[];
  /** Only host files: no unit, no runtime. */
  readonly noContainerService: boolean;
  readonly useLinks: boolean;
}

export const EMPTY_MANIFEST: ContainerManifest = {
  version: undefined,
  defaultValues: new Map(),
  renameFiles: new Map(),
  installedFilesTemplate: [],
  noContainerService: false,
  useLinks: true,
};

type Fields = ReadonlyMap<string, unknown>;

/**
 * @param image for messages
 * @throws ContainerError BAD_IMAGE_MANIFEST
 */
export function parseContainerManifest(bytes: Uint8Array, image: string): ContainerManifest {
  try {
    const fields = fieldsOf(parseKeepingNumbers(bytes), 'the manifest');
    return {
      version: scalarIn(fields, 'version'),
      defaultValues: new Map(
        [...objectIn(fields, 'defaultValues')].map(([name, value]) => [name, scalar(value, name)]),
      ),
      renameFiles: new Map([...objectIn(fields, 'renameFiles')].map(([from, to]) => [from, text(to, from)])),
      installedFilesTemplate: listIn(fields, 'installedFilesTemplate').map((path) =>
        text(path, 'installedFilesTemplate'),
      ),
      noContainerService: booleanIn(fields, 'noContainerService', EMPTY_MANIFEST.noContainerService),
      useLinks: booleanIn(fields, 'useLinks', EMPTY_MANIFEST.useLinks),
    };
  } catch (cause) {
    if (!(cause instanceof Mismatch || cause instanceof SyntaxError)) throw cause;
    throw new ContainerError('BAD_IMAGE_MANIFEST', `invalid manifest.json in ${image}: ${explain(cause)}`, {
      subject: image,
    });
  }
}

/** A number in the document, as it is written there: `1.0` is not `1`, and `10000000000000001` has its last digit. */
class Written {
  readonly digits: string;

  constructor(digits: string) {
    this.digits = digits;
  }
}

/** Something is of another type than it should be. */
class Mismatch extends Error {
  constructor(what: string, expected: string) {
    super(`${what}: expected ${expected}`);
  }
}

/** Begins no string that stands in a document, since such a character is escaped there. */
const NUMBER_MARK = '\u0000';
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*/g;

function parseKeepingNumbers(bytes: Uint8Array): unknown {
  const document = decodeUtf8(bytes);
  if (document === undefined) throw new Mismatch('the manifest', 'UTF-8');
  JSON.parse(document); // what is no JSON shall not become some
  if (/(?<!\\)(?:\\\\)*\\u0000/.test(document)) throw new Mismatch('the manifest', 'text without NUL characters');
  return JSON.parse(
    document.replace(STRING_OR_NUMBER, (found) => (found.startsWith('"') ? found : `"\\u0000${found}"`)),
  );
}

function unmarked(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(NUMBER_MARK) ? new Written(value.slice(1)) : value;
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Mismatch(what, 'an object');
  return new Map(Object.entries(value).map(([name, each]) => [name, unmarked(each)]));
}

function objectIn(fields: Fields, name: string): Fields {
  return fieldsOf(fields.get(name) ?? {}, name);
}

function listIn(fields: Fields, name: string): readonly unknown[] {
  const value = fields.get(name) ?? [];
  if (!Array.isArray(value)) throw new Mismatch(name, 'a list');
  return value.map(unmarked);
}

function booleanIn(fields: Fields, name: string, otherwise: boolean): boolean {
  const value = fields.get(name) ?? otherwise;
  if (typeof value !== 'boolean') throw new Mismatch(name, 'true or false');
  return value;
}

function scalarIn(fields: Fields, name: string): string | undefined {
  const value = fields.get(name) ?? undefined;
  return value === undefined ? undefined : scalar(value, name);
}

function scalar(value: unknown, what: string): string {
  if (typeof value === 'boolean') return String(value);
  return value instanceof Written ? value.digits : text(value, what);
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Mismatch(what, 'a text');
  return value;
}
