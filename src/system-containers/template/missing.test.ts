import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError } from '../../base/error.ts';
import { assertNoInjectedLines, missingIn, namesMissingIn } from './missing.ts';
import { parseTemplate } from './template.ts';

const named = (file: string, text: string) => ({ file, template: parseTemplate(Buffer.from(text), file) });
const values = (given: Record<string, string>) => new Map(Object.entries(given));

describe('variables without a value', () => {
  const templates = [named('config', '$A\n$B $B\n$C'), named('unit', '\n$C $A')];

  it('are named all at once, with every place', () => {
    assert.deepEqual(
      [...namesMissingIn(templates, values({ A: '' }))],
      [
        ['B', ['config line 2']],
        ['C', ['config line 3', 'unit line 2']],
      ],
    );
    assert.throws(
      () => missingIn(templates, values({})),
      (error) => {
        assert.ok(error instanceof CodedError && error.code === 'MISSING_VARIABLES');
        assert.match(error.message, /3 variables: A \(config line 1, unit line 2\), B \(config line 2\), C \(/);
        assert.match(error.hint ?? '', /--set A=VALUE --set B=VALUE --set C=VALUE$/);
        return true;
      },
    );
  });

  it('are none when each has one, be it empty', () => {
    assert.doesNotThrow(() => missingIn(templates, values({ A: '', B: '', C: '' })));
  });

  it('are not all shown when there are thousands', () => {
    const many = named('f', Array.from({ length: 5000 }, (_, i) => `$V${i}`).join(' '));
    assert.throws(
      () => missingIn([many], values({})),
      (error) => {
        assert.ok(error instanceof CodedError);
        assert.match(error.message, /5000 variables: .*, 4950 more$/);
        return error.message.length < 5000;
      },
    );
  });
});

describe('a value in a unit', () => {
  const unit = [named('service.template', '[Service]\nEnvironment=$A\nUser=$B\n')];

  for (const value of ['x\nExecStart=/bin/evil', 'x\rUser=root', 'x\0', 'x\\', '\n']) {
    it(`that is ${JSON.stringify(value)} is refused when the user gave it`, () => {
      const all = values({ A: value, B: '' });
      assert.throws(() => assertNoInjectedLines(unit, all, new Set(['A'])), {
        code: 'BAD_VALUE',
        message: /service.template line 2/,
      });
      assert.doesNotThrow(() => assertNoInjectedLines(unit, all, new Set(['B'])));
    });
  }

  it('may have quotes, spaces and backslashes within', () => {
    assert.doesNotThrow(() => assertNoInjectedLines(unit, values({ A: '"a\\nb" c', B: '' }), new Set(['A', 'B'])));
  });

  it('may be anything when the unit does not use it', () => {
    assert.doesNotThrow(() => assertNoInjectedLines(unit, values({ A: '', B: '', C: '\n' }), new Set(['C'])));
  });
});
