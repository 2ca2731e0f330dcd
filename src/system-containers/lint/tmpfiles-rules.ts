/** Rules on the tmpfiles fragment. */
import { CONTRACT } from '../contract/index.ts';
import { type Finding, finding, type Severity } from './finding.ts';
import { variableFor } from './hard-coded.ts';
import { SAMPLE, type Subject } from './subject.ts';

/** What makes or cleans directories and does no more. */
const HARMLESS = 'dDevqQ';
/** Source: tmpfiles.d(5). */
const KNOWN = `${HARMLESS}fFwpLcbCxXrRzZtThHaA`;

export function lintTmpfiles({ exports, tmpfiles }: Subject): readonly Finding[] {
  if (tmpfiles === undefined || exports.manifest.noContainerService) return [];
  return tmpfiles.flatMap(({ type, modifiers, path, line }) => {
    const say = (severity: Severity, rule: string, text: string) => [
      finding(severity, rule, text, { file: CONTRACT.tmpfiles, line }),
    ];
    if (type === '' || !KNOWN.includes(type) || !path.startsWith('/'))
      return say('error', 'tmpfiles-line', 'systemd would not take this line');
    const variable = variableFor(path);
    if (variable !== undefined) return say('warning', 'hard-coded-path', `write $${variable} instead of ${path}`);
    const isOwn = Object.values(SAMPLE).some((directory) => path.startsWith(`${directory}/`));
    if (isOwn && HARMLESS.includes(type) && !modifiers.includes('!')) return [];
    const text = `"${type}${modifiers}" on ${path} acts as root on the host: installation needs --allow-host tmpfiles`;
    return say('warning', 'tmpfiles-foreign', text);
  });
}
