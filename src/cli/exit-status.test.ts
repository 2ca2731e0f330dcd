import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError } from '../base/error.ts';
import { UsageError } from './arguments.ts';
import { EXIT, EXIT_HELP, exitHelpOf, gravityOf, Interrupted, statusOf, worstStatus } from './exit-status.ts';

const of = (code: string): number => statusOf(new CodedError(code, 'x'));

describe('the exit status', () => {
  it('has one number for each end', () => {
    assert.deepEqual(EXIT, { done: 0, failed: 1, usage: 2, refused: 3, temporary: 4, available: 10 });
  });

  for (const [status, codes] of [
    [2, ['USAGE']],
    [
      3,
      [
        'INVALID_SIGNATURE',
        'INVALID_DIGEST',
        'INVALID_SIZE',
        'NOT_A_SUPERSET',
        'OLDER_MANIFEST',
        'WEAK_PUBLIC_KEY',
        'UNSAFE_OWNER',
        'UNSAFE_LINK',
        'SIGNATURE_MISSING',
        'SIGNATURE_INVALID',
        'BINDING_MISMATCH',
        'OLDER_COMMIT',
        'OBJECT_CORRUPT',
        'OBJECT_UNSUITABLE',
        'TAR_PATH',
        'TOO_LARGE',
      ],
    ],
    [4, ['HTTP_UNREACHABLE', 'HTTP_UNAVAILABLE', 'HTTP_STALLED', 'HTTP_INTERRUPTED', 'LOCK_TIMEOUT']],
    [
      1,
      [
        'INVALID_CONFIG',
        'INCOMPLETE_CONFIG',
        'INVALID_PUBLIC_KEY_DATA',
        'INVALID_SECRET_KEY_PREFIX',
        'INVALID_SECRET_KEY_DATA',
        'INVALID_MANIFEST',
        'DUPLICATE',
        'NO_CANDIDATE',
        'HEALTH_FAILED',
        'RESTART_FAILED',
        'HTTP_GONE',
        'ENOENT',
        'ENOSPC',
        'OBJECT_MISSING',
        'OBJECT_MALFORMED',
        'REF_MISSING',
        'MIN_FREE_SPACE',
        'TAR_MALFORMED',
        'COMPRESSION_MALFORMED',
        'NO_OFD_LOCKS',
        'SOMETHING_NEW',
      ],
    ],
  ] as const) {
    for (const code of codes) it(`of ${code} is ${status}`, () => assert.equal(of(code), status));
  }

  it('of wrong usage is 2', () => assert.equal(statusOf(new UsageError('x')), 2));

  it('of whatever nobody meant to throw is 1', () => {
    for (const thrown of [new Error('x'), 'x', undefined, null, 7, {}, { code: 3 }]) assert.equal(statusOf(thrown), 1);
  });

  it('of an interruption is that of its signal', () => {
    assert.equal(statusOf(new Interrupted('SIGINT')), 130);
    assert.equal(statusOf(new Interrupted('SIGTERM')), 143);
  });

  it('is explained by the help, every one of them', () => {
    for (const status of [0, 1, 2, 3, 4, 130]) assert.match(EXIT_HELP, new RegExp(`^ +${status}\\b`, 'm'));
    assert.match(EXIT_HELP, /143/);
  });

  it('in the help of a command leave out the one of --check where there is no --check', () => {
    assert.doesNotMatch(exitHelpOf([{ long: '--json' }]), /--check|^ +10\b/m);
    assert.equal(exitHelpOf([{ long: '--json' }, { long: '--check' }]), EXIT_HELP);
  });
});

describe('the worst status of several', () => {
  for (const [statuses, worst] of [
    [[], 0],
    [[0], 0],
    [[0, 0], 0],
    [[0, 4], 4],
    [[4, 0], 4],
    [[4, 1], 1],
    [[1, 4], 1],
    [[1, 3], 3],
    [[3, 1], 3],
    [[4, 3, 1, 0], 3],
    [[0, 10], 10],
    [[10, 4], 4],
    [[10, 1], 1],
    [[3, 3], 3],
    [[2, 3], 3],
  ] as const) {
    it(`(${statuses.join(', ') || 'none'}) is ${worst}`, () => assert.equal(worstStatus(statuses), worst));
  }
});

describe('the gravity of an error', () => {
  it('puts refused before failed before temporary', () => {
    const [refused, failed, temporary] = ['INVALID_SIGNATURE', 'INVALID_MANIFEST', 'HTTP_UNREACHABLE'].map((code) =>
      gravityOf(new CodedError(code, 'x')),
    );
    assert.ok(refused !== undefined && failed !== undefined && temporary !== undefined);
    assert.ok(refused > failed && failed > temporary);
  });
});
