/** Rules on the image as a whole: what it brings, and what nobody will read. */
import { CONTRACT, labelsOf } from '../contract/index.ts';
import { type Finding, finding } from './finding.ts';
import type { Subject } from './subject.ts';

/** Of other programs; not taken over. */
const PACKAGING = ['exports/rpm.spec', 'exports/rpm.spec.template', 'exports/container.rpm'];

export function lintConventions(subject: Subject): readonly Finding[] {
  const { tree, exports, imageConfig } = subject;
  const { manifest } = exports;
  const has = (path: string): boolean => tree.look(path) !== undefined;
  const found: Finding[] = PACKAGING.filter(has).map((file) =>
    finding('hint', 'packaging-ignored', 'packages are not made of images here: nobody reads this file', { file }),
  );
  if (!exports.hasExports) {
    const text = 'there is no /exports: the unit and config.json will be defaults, which hardly ever fit';
    return [finding('warning', 'no-exports', text)];
  }
  if (imageConfig !== undefined && !labelsOf(imageConfig).isSystemContainer) {
    found.push(finding('hint', 'label', 'the label atomic.type=system is missing: it tells what the image is for'));
  }
  if (has(CONTRACT.check) && !exports.check) {
    const text = 'nobody may execute it: the health of the service will not be checked';
    found.push(finding('warning', 'check-mode', text, { file: CONTRACT.check }));
  }
  if (has(CONTRACT.config) && has(CONTRACT.configTemplate)) {
    const text = 'config.json is taken as it is, and this template is not read';
    found.push(finding('warning', 'config-twice', text, { file: CONTRACT.configTemplate }));
  }
  return [...found, ...(manifest.noContainerService ? unread(subject) : defaults(subject))];
}

/** Files for a service, where there is none. */
function unread({ tree }: Subject): readonly Finding[] {
  return [CONTRACT.config, CONTRACT.configTemplate, CONTRACT.unit, CONTRACT.tmpfiles]
    .filter((file) => tree.look(file) !== undefined)
    .map((file) => finding('warning', 'no-service', 'noContainerService is set: nobody reads this file', { file }));
}

function defaults({ exports, imageConfig, tree, unitTemplate }: Subject): readonly Finding[] {
  const found: Finding[] = [];
  if (exports.unit === undefined) {
    const text = `there is no /${CONTRACT.unit}: the service will have a default unit`;
    found.push(finding('hint', 'default-unit', text));
  }
  const usesRuntime = unitTemplate === undefined || unitTemplate.pieces.some(isExecStart);
  if (exports.config !== undefined || !usesRuntime) return found;
  const text = `there is no /${CONTRACT.configTemplate}: the container will have a default configuration`;
  found.push(finding('hint', 'default-config', text));
  const { Entrypoint = [], Cmd = [] } = imageConfig?.config ?? {};
  if (Entrypoint.length + Cmd.length === 0 && tree.look('usr/bin/run.sh') === undefined) {
    found.push(
      finding('warning', 'no-command', 'neither the image nor /exports says what to run, and there is no run.sh'),
    );
  }
  return found;
}

function isExecStart(piece: NonNullable<Subject['unitTemplate']>['pieces'][number]): boolean {
  return piece.kind === 'variable' && piece.name === 'EXEC_START';
}
