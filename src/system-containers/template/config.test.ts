// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what templates look like
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { substituteConfig } from './config.ts';
import { parseTemplate } from './template.ts';

const result = (text: string, values: Record<string, string> = {}) =>
  substituteConfig(parseTemplate(Buffer.from(text, 'latin1'), 'F'), new Map(Object.entries(values)));

describe('a template of a configuration', () => {
  it('takes values that are JSON themselves', () => {
    const { json, mounts } = result('{"mounts": [{"destination": "/a"} $MORE], "b": $N}', {
      MORE: ', {"destination": "/$"}',
      N: '2',
    });
    assert.deepEqual(
      mounts.map(({ destination }) => destination),
      ['/a', '/$'],
    );
    assert.equal(json['b'], 2);
  });

  for (const [what, text, values, line, names] of [
    ['a quote', '{\n "a": "$A",\n "b": "$B"\n}', { A: 'say "x"', B: '' }, 2, 'A'],
    ['a backslash at its end', '{"b": "$B",\n "a": "$A",\n "c": 1}', { A: 'x\\', B: '' }, 2, 'A'],
    ['a newline', '{\n\n"a": "${B}${A}"}', { A: '1\n2', B: '' }, 3, 'B, A'],
    ['a control character', '{"a": "$A",\n "b": "$B"}', { A: '1', B: 'x\ty' }, 2, 'B'],
    ['its fault in a later line than another has', '{"a": [$A],\n\n"b": "$B"}', { A: '1,\n\n2', B: '"' }, 3, 'B'],
    ['its fault in a line of its own', '{"a": [$A],\n\n"b": "$B"}', { A: '1,\n\n2 3', B: '' }, 1, 'A'],
    ['an open bracket', '{"a": [1\n$MORE\n]\n}', { MORE: ', {' }, 3, 'MORE'],
    ['nothing, where there has to be something', '{"a": $A}', { A: '' }, 1, 'A'],
  ] as const) {
    it(`with a value that has ${what} names the line of the template and the variables there`, () => {
      assert.throws(() => result(text, values), {
        code: 'BAD_CONTAINER_CONFIG',
        message: new RegExp(`^F line ${line}: no JSON with the value of ${names}:`),
      });
    });
  }

  it('that is wrong before any variable blames none', () => {
    assert.throws(() => result('{,}\n$A', { A: '' }), { code: 'BAD_CONTAINER_CONFIG', message: /^F line 1: expected/ });
  });

  it('that is JSON of another shape is refused as such', () => {
    assert.throws(() => result('{"root": $A}', { A: '1' }), { code: 'BAD_CONTAINER_CONFIG', message: /root/ });
  });

  it('tells of missing variables first', () => assert.throws(() => result('{$A'), { code: 'MISSING_VARIABLES' }));
});
