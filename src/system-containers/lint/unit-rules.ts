/** Rules on the unit. */
import { installNames, type UnitFile } from '../../systemd/index.ts';
import { CONTRACT } from '../contract/index.ts';
import { variablesIn } from '../template/index.ts';
import { type Finding, finding, type Severity } from './finding.ts';
import { variableFor } from './hard-coded.ts';
import type { Subject } from './subject.ts';

interface Unit {
  /** With values for a sample. */
  readonly file: UnitFile;
  /** Variables of its template. */
  readonly used: ReadonlySet<string>;
  readonly hasConfig: boolean;
  say(severity: Severity, rule: string, text: string, line?: number): void;
  /** Of the first entry with this key. */
  lineOf(key: string): number | undefined;
}

export function lintUnit({ exports, unit, unitTemplate }: Subject): readonly Finding[] {
  if (unit === undefined || unitTemplate === undefined || exports.manifest.noContainerService) return [];
  const found: Finding[] = [];
  const subject: Unit = {
    file: unit,
    used: variablesIn(unitTemplate),
    hasConfig: exports.config !== undefined,
    say: (severity, rule, text, line) => {
      found.push(finding(severity, rule, text, { file: CONTRACT.unit, line }));
    },
    lineOf: (name) => unit.entries.find(({ key }) => key === name)?.line,
  };
  lintExecStart(subject);
  if (subject.used.has('EXEC_START')) {
    lintServiceType(subject);
    lintDirectory(subject);
  }
  lintInstall(subject);
  lintPaths(subject);
  return found;
}

function lintExecStart({ file, used, hasConfig, say, lineOf }: Unit): void {
  if (file.values('Service', 'ExecStart').length === 0) {
    say('error', 'no-exec-start', 'there is no ExecStart= in [Service]');
  } else if (!used.has('EXEC_START') && hasConfig) {
    say('warning', 'exec-start', 'ExecStart= is not $EXEC_START: the configuration is not used', lineOf('ExecStart'));
  }
}

/** The launcher either stays or leaves; systemd has to be told which. */
function lintServiceType({ file, used, say, lineOf }: Unit): void {
  const isForking = file.value('Service', 'Type') === 'forking';
  const isDetached = used.has('PIDFILE') && used.has('EXEC_STOPPOST');
  if (isDetached && !isForking) {
    const text = 'Type= has to be forking with $PIDFILE and $EXEC_STOPPOST: the launcher ends at once';
    say('error', 'service-type', text, lineOf('Type'));
  } else if (isForking && !isDetached) {
    const text = 'Type=forking needs both $PIDFILE and $EXEC_STOPPOST: without them the launcher stays';
    say('error', 'service-type', text, lineOf('Type'));
  } else if (used.has('PIDFILE') && !isDetached) {
    say('warning', 'pid-file', '$PIDFILE is written only for a unit that uses $EXEC_STOPPOST, too', lineOf('PIDFile'));
  }
}

function lintDirectory({ file, say, lineOf }: Unit): void {
  if (/^-?\/DESTDIR\/?$/.test(file.value('Service', 'WorkingDirectory') ?? '')) return;
  const text = 'WorkingDirectory= has to be $DESTDIR: the runtime finds its configuration there';
  say('error', 'working-directory', text, lineOf('WorkingDirectory'));
}

function lintInstall({ file, say }: Unit): void {
  const { alias, also, requiredBy, wantedBy } = installNames(file);
  if (wantedBy.length + requiredBy.length + alias.length === 0) {
    say('warning', 'no-install', 'there is no WantedBy= in [Install]: enabling the service has no effect');
  }
  const others = [...alias, ...also, ...requiredBy];
  if (others.length > 0) say('hint', 'other-units', `enabling the service touches other units: ${others.join(', ')}`);
}

/** Absolute paths within a value, also behind the signs that systemd takes in front of them. */
const PATH = /(?<=^|[\s"'=:+!@-])\/[^\s"':]+/g;

function lintPaths({ file, say }: Unit): void {
  for (const { key, value, line } of file.entries) {
    for (const path of new Set(value.match(PATH))) {
      const variable = variableFor(path);
      if (variable === undefined) continue;
      say('warning', 'hard-coded-path', `${key}=: write $${variable} instead of ${path}`, line);
    }
  }
}
