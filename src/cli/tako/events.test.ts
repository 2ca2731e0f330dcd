import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CodedError } from '../../base/error.ts';
import { silent } from '../../base/progress.ts';
import { Output } from '../output.ts';
import type { Context } from '../program.ts';
import { journalStream } from '../terminal.fixture.ts';
import { logFailure, logRollback, logUpdate, MESSAGE_ID } from './events.ts';

const context = (env: NodeJS.ProcessEnv = {}): Context => ({
  output: new Output('tako', env),
  progress: { emit: silent, close: () => undefined },
  signal: new AbortController().signal,
});

describe('the ids of events', () => {
  it('are fixed for ever', () => {
    assert.deepEqual(MESSAGE_ID, {
      updated: '7b4ca951341345ac9ba18adb780e519e',
      refused: 'fa763b9940a84af689bd7b99c5687c35',
      unhealthy: '18121be75514473186542a0c88effec4',
      rolledBack: '338a4639c13a472f81e746350a96d65a',
    });
  });

  it('are random ones of 128 bits, each its own', () => {
    const ids = Object.values(MESSAGE_ID);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  it('are in the documentation', () => {
    const docs = ['docs/journal.md', 'docs/tako-fetch.md']
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'))
      .join('');
    for (const [name, id] of Object.entries(MESSAGE_ID)) assert.ok(docs.includes(id), name);
  });
});

describe('events without a journal', { skip: existsSync('/run/systemd/journal/socket') && 'a journal is here' }, () => {
  const refused = new CodedError('INVALID_SIGNATURE', 'manifest is not signed');

  it('stop no work', async () => {
    await logRollback('/etc/tako/app', '1.1', '1.0', context());
    const none = { newest: undefined, published: [], bytes: 0, restarted: [], reloaded: [], removed: [] };
    await logUpdate('/x', { outcome: 'updated', entry: undefined, previous: undefined, ...none }, context());
  });

  it('are not taken for told: the error is still to be printed', async () => {
    for (const env of [{}, { JOURNAL_STREAM: journalStream() }]) {
      for (const error of [refused, new CodedError('HEALTH_FAILED', 'x'), new CodedError('NO_CONFIG', 'x'), 'x']) {
        assert.equal(await logFailure('/etc/tako/app', error, context(env)), false);
      }
    }
  });
});
