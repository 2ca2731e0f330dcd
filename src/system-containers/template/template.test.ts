// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what templates look like
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { needs } from '../../../test/support/needs.ts';
import { codeOf } from '../../base/error.ts';
import { askPython, type TemplateAnswer, type TemplateCase } from './python.fixture.ts';
import { parseTemplate, substitute, substituteText, variablesIn } from './template.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const fill = (text: string, values: Record<string, string> = {}): string =>
  Buffer.from(substitute(parseTemplate(bytes(text), 'f'), new Map(Object.entries(values)))).toString('latin1');

describe('a template', () => {
  for (const [what, template, values, result] of [
    ['nothing', '', {}, ''],
    ['no variable', 'a\nb', {}, 'a\nb'],
    ['a bare name', '$A.', { A: 'x' }, 'x.'],
    ['a name in braces', '${A}B', { A: 'x', AB: 'y' }, 'xB'],
    ['the longest name there can be', '$PORT2_X9-', { PORT: 'n', PORT2_X9: 'y' }, 'y-'],
    ['a name that begins with an underscore', '$_', { _: 'x' }, 'x'],
    ['a lower-case name', '$a$A', { a: 'x', A: 'y' }, 'xy'],
    ['two names in a row', '$A$B${A}', { A: '1', B: '2' }, '121'],
    ['a dollar sign', 'kill $$MAINPID $$', {}, 'kill $MAINPID $'],
    ['two dollar signs and a name', '$$$A $$$$A', { A: 'x' }, '$x $$A'],
    ['a variable at the very end', 'x=$A', { A: 'y' }, 'x=y'],
    ['a variable at the very end, in braces', 'x=${A}', { A: 'y' }, 'x=y'],
    ['a value with a dollar sign: it is not expanded again', '$A', { A: '$B ${C} $$ $1' }, '$B ${C} $$ $1'],
    ['an empty value', '[$A]', { A: '' }, '[]'],
    ['a value that looks like a replacement pattern', '<$A>', { A: "$& $` $' $1" }, "<$& $` $' $1>"],
    ['a name of an object', '$constructor$__proto__', { constructor: 'c', ['__proto__']: 'p' }, 'cp'],
    ['bytes that are no UTF-8', '\xff\xfe$A\x80\0', { A: 'x' }, '\xff\xfex\x80\0'],
  ] as const) {
    it(`with ${what} becomes what it should`, () => assert.equal(fill(template, values), result));
  }

  it('writes values in UTF-8', () => assert.equal(fill('$A', { A: 'ü' }), '\xc3\xbc'));

  for (const [what, template, line] of [
    ['a digit behind the dollar', 'a\n$1', 2],
    ['a parenthesis', 'a\nb\n$(x)', 3],
    ['a dollar at the end', 'a $', 1],
    ['a dollar at the end of a line', 'a\n$\nb', 2],
    ['an open brace', '${A', 1],
    ['empty braces', '${}', 1],
    ['braces with a space', '\n\n${ A}', 3],
    ['braces with an operator of the shell', '${A:-x}', 1],
    ['a letter that is not ASCII', '$\xe9', 1],
    ['a third dollar', '$$$', 1],
  ] as const) {
    it(`with ${what} is refused, with its file and line`, () => {
      assert.throws(() => parseTemplate(bytes(template), 'f'), {
        code: 'BAD_TEMPLATE',
        message: new RegExp(`^f line ${line}:`),
      });
    });
  }

  it('knows its variables, each once', () => {
    assert.deepEqual([...variablesIn(parseTemplate(bytes('$B ${A} $B $$C'), 'f'))], ['B', 'A']);
  });

  it('is refused when its values make it too large, before that fills the memory', () => {
    const template = parseTemplate(bytes('$A'.repeat(1000)), 'f');
    assert.throws(() => substitute(template, new Map([['A', 'x'.repeat(2 ** 20)]])), { code: 'BAD_TEMPLATE' });
  });

  it('is refused when it has more variables than anybody writes', () => {
    assert.throws(() => parseTemplate(bytes('$A'.repeat(10_001)), 'f'), { code: 'BAD_TEMPLATE' });
    assert.equal(fill('$A'.repeat(10_000), { A: '' }), '');
  });

  it('can be a path', () => {
    assert.equal(
      substituteText('${DIR}/${NAME}.conf', 'renameFiles', new Map(Object.entries({ DIR: '/etc', NAME: 'ü' }))),
      '/etc/ü.conf',
    );
  });
});

describe('templates at random', () => {
  it('become what Python makes of them', { skip: needs('python3') }, () => {
    const cases = fc.sample(anyCase, { numRuns: 20_000, seed: 7 });
    const expected = askPython(cases);
    assert.ok(['text', 'invalid', 'missing'].every((kind) => expected.filter((each) => kind in each).length > 500));
    for (const [i, each] of cases.entries()) assert.deepEqual(ours(each), expected[i], JSON.stringify(each));
  });
});

const someName = fc.constantFrom('A', 'B', '_', 'PORT', 'PORT2', 'a_b', 'Aa', '__proto__');
/** Everything that means something in a template is likely, and every byte is possible. */
const anyPiece = fc.oneof(
  { weight: 3, arbitrary: someName.map((name) => `$${name}`) },
  { weight: 3, arbitrary: someName.map((name) => `\${${name}}`) },
  { weight: 2, arbitrary: fc.constantFrom('$$', '\n', ' ', 'x', '"', '\\') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('$', '${', '{', '}', '_', '9', '\xe9', '\r', '\x85', '\x0b', '\0'),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
);
const anyCase: fc.Arbitrary<TemplateCase> = fc.record({
  template: fc.array(anyPiece, { maxLength: 9 }).map((pieces) => pieces.join('')),
  values: fc.dictionary(someName, fc.constantFrom('', '1', '$A', '$$', 'x\ny'), { minKeys: 4, noNullPrototype: true }),
});

function ours({ template, values }: TemplateCase): TemplateAnswer {
  try {
    return { text: fill(template, values) };
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    if (codeOf(error) === 'BAD_TEMPLATE') return { invalid: Number(/ line (\d+):/.exec(text)?.[1]) };
    if (codeOf(error) !== 'MISSING_VARIABLES') throw error;
    return { missing: / variables?: (\w+) /.exec(text)?.[1] ?? '' };
  }
}
