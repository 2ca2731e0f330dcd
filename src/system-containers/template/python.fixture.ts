/** What Python's `string.Template` makes of templates: the programs that images were written for used it. */
import { spawnSync } from 'node:child_process';
import { searchPath } from '../../../test/support/needs.ts';

/** Characters stand for bytes. */
export interface TemplateCase {
  readonly template: string;
  readonly values: Readonly<Record<string, string>>;
}

/** The result, or why there is none: `invalid` with the line, `missing` with the first name that has no value. */
export type TemplateAnswer = { text: string } | { invalid: number } | { missing: string };

/** The grammar before the values; line numbers are ours, since Python counts every kind of line end. */
const PROGRAM = `
import collections, json, string, sys

def answer(case):
    template = string.Template(case['template'])
    try:
        template.substitute(collections.defaultdict(str))
        return {'text': template.substitute(case['values'])}
    except KeyError as missing:
        return {'missing': missing.args[0]}
    except ValueError:
        found = template.pattern.finditer(case['template'])
        at = next(each.start() for each in found if each.group('invalid') is not None)
        return {'invalid': case['template'].count('\\n', 0, at) + 1}

json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
`;

export function askPython(cases: readonly TemplateCase[]): readonly TemplateAnswer[] {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', PROGRAM], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { PATH: searchPath() },
  });
  if (status !== 0) throw new Error(`python3 failed: ${stderr}`);
  return JSON.parse(stdout) as readonly TemplateAnswer[];
}
