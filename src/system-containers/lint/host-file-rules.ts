/** Rules on what the image puts on the host. */
import { CONTRACT } from '../contract/index.ts';
import type { HostFile } from '../host-files/index.ts';
import { type Finding, finding, type Severity } from './finding.ts';
import { lineFinder, type Subject } from './subject.ts';

/** No files of an image go there. */
const REFUSED = ['/dev', '/proc', '/sys'];

export function lintHostFiles(subject: Subject): readonly Finding[] {
  return [...subject.hostFiles.flatMap(lintHostFile), ...lintPaths(subject)];
}

function lintHostFile({ path, source, kind, mode, hasCapabilities }: HostFile): readonly Finding[] {
  if (kind === 'directory') return [];
  const found: Finding[] = [];
  const say = (severity: Severity, rule: string, text: string): void => {
    found.push(finding(severity, rule, `${path}: ${text}`, { file: source }));
  };
  const isIn = (directory: string): boolean => path.startsWith(`${directory}/`);
  if (REFUSED.some(isIn)) say('error', 'host-path', 'belongs to the kernel: it will be refused');
  if (isIn('/usr') && !isIn('/usr/local'))
    say('hint', 'host-path-usr', 'where /usr is read-only this goes below /usr/local only');
  if (kind === 'file' && ((mode & 0o6000) !== 0 || hasCapabilities)) {
    say('warning', 'setuid', 'is setuid or has capabilities: installation needs --allow-host setuid');
  }
  if (kind === 'file' && (mode & 0o002) !== 0) say('warning', 'host-file-mode', 'everybody may write it');
  return found;
}

/** Settings that speak of files which do not exist. */
function lintPaths({ tree, exports, hostFiles }: Subject): readonly Finding[] {
  const { renameFiles, installedFilesTemplate } = exports.manifest;
  const source = tree.look(CONTRACT.manifest) === undefined ? undefined : tree.read(CONTRACT.manifest, 2 ** 20);
  const lineOf = lineFinder(source);
  const inImage = (path: string): string => `${CONTRACT.hostFiles}/${path.split('/').filter(isName).join('/')}`;
  const at = (path: string) => ({ file: CONTRACT.manifest, line: lineOf(JSON.stringify(path)) });
  const renames = [...renameFiles.keys()]
    .filter((path) => tree.look(inImage(path)) === undefined)
    .map((path) => finding('warning', 'rename-unused', `renameFiles: there is no ${path} in hostfs`, at(path)));
  const made = new Set(hostFiles.flatMap(({ isTemplate, source, path }) => (isTemplate ? [source, path] : [])));
  const templates = installedFilesTemplate
    .filter((path) => !made.has(inImage(path)) && !made.has(path))
    .map((path) => finding('warning', 'template-unused', `installedFilesTemplate: there is no file ${path}`, at(path)));
  return [...renames, ...templates];
}

function isName(part: string): boolean {
  return part !== '' && part !== '.';
}
