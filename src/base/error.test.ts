import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { CodedError, codeOf, explain } from './error.ts';

class DemoError extends CodedError<'DEMO'> {}

describe('a coded error', () => {
  it('carries code, text, hint and subject, and the name of its own class', () => {
    const error = new DemoError('DEMO', 'thing: expected 1, found 2', { hint: 'try again', subject: 'thing' });
    assert.ok(error instanceof CodedError && error instanceof Error);
    assert.deepEqual(
      [error.name, error.code, error.message, error.hint, error.subject],
      ['DemoError', 'DEMO', 'thing: expected 1, found 2', 'try again', 'thing'],
    );
    assert.equal(new CodedError('X', '').name, 'CodedError');
  });

  it('without details has no hint, no subject and no cause at all', () => {
    const error = new DemoError('DEMO', 'text');
    assert.deepEqual([error.hint, error.subject, 'cause' in error], [undefined, undefined, false]);
  });

  it('keeps its cause, also one that is no error', () => {
    const cause = new Error('deeper');
    assert.equal(new DemoError('DEMO', 'text', { cause }).cause, cause);
    assert.equal(new DemoError('DEMO', 'text', { cause: null }).cause, null);
    assert.equal(new DemoError('DEMO', 'text', { cause: 0 }).cause, 0);
  });
});

describe('the code of an error', () => {
  it('is found on our errors and on those of the system', () => {
    assert.equal(codeOf(new DemoError('DEMO', '')), 'DEMO');
    assert.throws(
      () => readFileSync('/nonexistent/file'),
      (error) => codeOf(error) === 'ENOENT',
    );
  });

  for (const thrown of [undefined, null, 'ENOENT', 7, true, {}, [], new Error('x'), { code: 5 }, { code: null }]) {
    it(`is undefined for ${JSON.stringify(thrown) ?? 'undefined'}`, () => assert.equal(codeOf(thrown), undefined));
  }
});

describe('the explanation of an error', () => {
  it('names the error first and its causes after it', () => {
    const deepest = new Error('connection refused');
    const middle = new CodedError('B', 'server unreachable', { cause: deepest });
    assert.equal(
      explain(new CodedError('A', 'no manifest', { cause: middle })),
      'no manifest: server unreachable: connection refused',
    );
  });

  it('says nothing twice', () => {
    const cause = new Error('disk full');
    assert.equal(explain(new Error('disk full', { cause })), 'disk full');
    assert.equal(explain(new Error('copy: disk full', { cause })), 'copy: disk full');
  });

  it('leaves out the newlines that OpenSSL puts behind its texts', () => {
    assert.equal(
      explain(new Error('not trusted', { cause: new Error('wrong version\n') })),
      'not trusted: wrong version',
    );
  });
  it('falls back on the name of an error without a text', () => {
    assert.equal(explain(new TypeError('')), 'TypeError');
    assert.equal(explain(new Error('outer', { cause: new RangeError('') })), 'outer: RangeError');
  });

  it('takes whatever was thrown', () => {
    assert.equal(explain('text'), 'text');
    assert.equal(explain(7), '7');
    assert.equal(explain(undefined), '');
    assert.equal(explain(null), '');
    assert.equal(explain(new Error('outer', { cause: 'inner' })), 'outer: inner');
    fc.assert(
      fc.property(fc.string(), (text) => assert.equal(explain(new Error('x', { cause: text })).startsWith('x'), true)),
    );
  });

  it('is bounded for a long chain', () => {
    let error = new Error('0');
    for (let i = 1; i < 1000; i++) error = new Error(`step ${i} `, { cause: error });
    assert.ok(explain(error).length < 200);
  });

  it('ends for causes that go round in a circle', () => {
    const first: Error & { cause?: unknown } = new Error('first');
    first.cause = new Error('second', { cause: first });
    // The time limit of a foreign context also ends a loop in a function of ours.
    const text: unknown = runInNewContext('explain(error)', { explain, error: first }, { timeout: 1000 });
    assert.equal(text, 'first: second');
  });
});
