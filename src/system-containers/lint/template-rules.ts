/** Rules on variables and their defaults. */
import { CONTRACT } from '../contract/index.ts';
import { isVariableName, namesMissingIn, variablesIn } from '../template/index.ts';
import { isForced } from '../variables/index.ts';
import { type Finding, finding } from './finding.ts';
import { lineFinder, type Subject } from './subject.ts';

export function lintTemplates({ tree, exports, templates, values }: Subject): readonly Finding[] {
  const { defaultValues } = exports.manifest;
  const source = tree.look(CONTRACT.manifest) === undefined ? undefined : tree.read(CONTRACT.manifest, 2 ** 20);
  const used = new Set(templates.flatMap(({ template }) => [...variablesIn(template)]));
  const lineOf = lineFinder(source);
  const inManifest = (name: string) => ({ file: CONTRACT.manifest, line: lineOf(JSON.stringify(name)) });
  const missing = [...namesMissingIn(templates, values)].map(([name, [place = '']]) => {
    const [, file = '', line = ''] = /^(.*) line ([0-9]+)$/.exec(place) ?? [];
    const at = file === 'renameFiles' ? { file: CONTRACT.manifest } : { file, line: Number(line) };
    return finding('warning', 'no-default', `${name} has no default: it has to be given with --set ${name}=VALUE`, at);
  });
  const defaults = [...defaultValues.keys()].flatMap((name): readonly Finding[] => {
    if (!isVariableName(name)) {
      return [finding('warning', 'default-name', `${JSON.stringify(name)} is no name of a variable`, inManifest(name))];
    }
    if (isForced(name)) {
      const text = `${name} has a value of its own in every deployment: this default never counts`;
      return [finding('warning', 'default-forced', text, inManifest(name))];
    }
    if (DIRECTORIES.includes(name)) {
      const text = `the default of ${name} counts for root alone: users have directories of their own`;
      return [finding('hint', 'default-directory', text, inManifest(name))];
    }
    if (used.has(name)) return [];
    return [finding('hint', 'default-unused', `no template uses ${name}`, inManifest(name))];
  });
  return [...missing, ...defaults];
}

const DIRECTORIES = ['RUN_DIRECTORY', 'STATE_DIRECTORY', 'CONF_DIRECTORY'];
