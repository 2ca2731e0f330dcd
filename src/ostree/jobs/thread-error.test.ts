import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { CodedError, codeOf } from '../../base/error.ts';
import { SystemError } from '../../linux/calls/system-error.ts';
import { OstreeError } from '../error.ts';
import { freezeError, thawError } from './thread-error.ts';

const across = (error: unknown): Error => thawError(structuredClone(freezeError(error)));

function caught(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('an error that crosses threads', () => {
  it('keeps code, text, hint, subject and causes', () => {
    const cause = new CodedError('INNER', 'inner', { subject: 's' });
    const found = across(new OstreeError('OBJECT_CORRUPT', 'outer', { hint: 'h', subject: 'x', cause }));
    assert.ok(found instanceof CodedError);
    assert.deepEqual([found.code, found.message, found.hint, found.subject], ['OBJECT_CORRUPT', 'outer', 'h', 'x']);
    assert.ok(found.cause instanceof CodedError);
    assert.deepEqual([found.cause.code, found.cause.subject], ['INNER', 's']);
  });

  it('of the system keeps its number, its call and its path', () => {
    for (const error of [
      caught(() => fs.openSync('/none/at all', 'r')),
      new SystemError(-28, 'write', '/x'),
      new SystemError(-122, 'write'),
    ]) {
      const { code, errno, syscall, path } = error as SystemError;
      const found = across(error) as SystemError;
      assert.deepEqual([found.code, found.errno, found.syscall, found.path], [code, errno, syscall, path]);
      assert.equal(found.stack, (error as Error).stack);
    }
  });

  it('of a compressor, which has a number too, is none of the system', () => {
    const error = caught(() => inflateRawSync(Buffer.of(7)));
    const found = across(new CodedError('OUTER', 'outer', { cause: error })).cause;
    assert.ok(found instanceof CodedError);
    assert.deepEqual([found.code, found.message], [codeOf(error), (error as Error).message]);
  });

  it('of any other kind is an error with its text', () => {
    assert.equal(across(new RangeError('too far')).message, 'too far');
    for (const thrown of ['text', 17, null, undefined, { a: 1 }]) assert.equal(across(thrown).message, String(thrown));
    const aborted = across(AbortSignal.abort().reason);
    assert.equal('code' in aborted, false, 'the number of a DOMException is no code');
  });

  it('whose causes go round in circles ends', () => {
    const error = new Error('a');
    error.cause = error;
    let depth = 0;
    for (let e: unknown = across(error); e instanceof Error; e = e.cause) depth++;
    assert.ok(depth > 1 && depth < 20);
  });
});
