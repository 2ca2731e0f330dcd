/** A package from its rpm header. */
import { quote } from '../../../../base/text.ts';
import { damaged } from '../../error.ts';
import { joinedPath, type Package } from '../package.ts';
import { decodeRpmHeader, RPM_TAG, type RpmHeader } from './header.ts';

/** The package does not bring it, it only says whose it is: caches, logs, the database itself. */
const GHOST = 1 << 6;
/** Anything else was replaced by another package, or left out. */
const NORMAL_STATE = 0;
const NAME = /^[^\s\p{Cc},/]+$/u;

/** @throws PackingError PACKAGE_DATABASE */
export function rpmPackage(blob: Uint8Array, what: string): Package {
  const header = decodeRpmHeader(blob, what);
  const name = required(header, RPM_TAG.name, 'a name', what);
  const version = required(header, RPM_TAG.version, 'a version', what);
  const release = required(header, RPM_TAG.release, 'a release', what);
  const [epoch] = header.numbers(RPM_TAG.epoch);
  const architecture = header.text(RPM_TAG.architecture) ?? 'noarch'; // keys of signatures have none
  if (!NAME.test(architecture)) throw damaged(what, 'an architecture', quote(architecture));
  const evr = `${epoch === undefined ? '' : `${epoch}:`}${version}-${release}`;
  return {
    name,
    identifier: `${name}-${evr}.${architecture}`,
    source: sourceName(header.text(RPM_TAG.sourceRpm)) ?? name,
    changeTimes: changeTimes(header),
    paths: paths(header, what),
  };
}

function required(header: RpmHeader, tag: number, expected: string, what: string): string {
  const text = header.text(tag);
  if (text === undefined || !NAME.test(text)) throw damaged(what, expected, quote(text ?? ''));
  return text;
}

/** `hello-1.0-3.src.rpm` without version and release. */
function sourceName(file: string | undefined): string | undefined {
  return /^(.+)-[^-]+-[^-]+\.(?:no)?src\.rpm$/.exec(file ?? '')?.[1];
}

/** Entries of the changelog are days, the build is a second: the latest is what it was built at. */
function changeTimes(header: RpmHeader): number[] {
  const entries = [...header.numbers(RPM_TAG.changelogTime)].sort((a, b) => b - a);
  const [built] = header.numbers(RPM_TAG.buildTime);
  return built === undefined ? entries : [built, ...entries.slice(1)];
}

function paths(header: RpmHeader, what: string): string[] {
  const folders = header.texts(RPM_TAG.dirNames);
  const indexes = header.numbers(RPM_TAG.dirIndexes);
  const names = header.texts(RPM_TAG.baseNames);
  const flags = header.numbers(RPM_TAG.fileFlags);
  const states = header.bytes(RPM_TAG.fileStates);
  if (indexes.length !== names.length) throw damaged(what, `${names.length} folders of files`, `${indexes.length}`);
  return names.flatMap((name, i) => {
    const folder = folders[indexes[i] ?? -1];
    if (folder === undefined) throw damaged(what, 'the folder of each file', `number ${indexes[i]}`);
    const isGhost = ((flags[i] ?? 0) & GHOST) !== 0;
    const isLeftOut = isGhost || (states[i] ?? NORMAL_STATE) !== NORMAL_STATE;
    return isLeftOut ? [] : (joinedPath(folder, name) ?? []);
  });
}
