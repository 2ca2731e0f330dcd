import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { newRepository } from '../../stream/stream.fixture.ts';
import { readTagState, type TagState, writeTagState } from './tag-state.ts';

const STATE: TagState = {
  hold: { version: '1.0', reason: 'hold', at: '2026-01-02T03:04:05Z' },
  skip: [{ version: '1.1', reason: 'skip', at: '2026-01-02T03:04:05Z' }],
  current: { tag: '1.0', commit: 'c'.repeat(64) },
};
const unheard = (text: string): void => assert.fail(text);

describe('what a repository remembers of tags', () => {
  it('comes back as it went in, for each ref', (t) => {
    const repository = newRepository(t);
    assert.deepEqual(readTagState(repository, 'os/main', unheard), { hold: null, skip: [], current: null });
    writeTagState(repository, 'os/main', STATE);
    writeTagState(repository, 'origin:os/main', { ...STATE, hold: null });
    assert.deepEqual(readTagState(repository, 'os/main', unheard), STATE);
    assert.equal(readTagState(repository, 'origin:os/main', unheard).hold, null);
    const names = readdirSync(join(repository.path, 'extensions/tako/pull'));
    assert.deepEqual(names.sort(), ['origin_3A_os_2F_main.json', 'os_2F_main.json']);
  });

  for (const text of ['', '{', '[]', '{"schema":"other"}', '{"schema":"ostree-container.pull-state/1","hold":5}']) {
    it(`that is damaged (${JSON.stringify(text)}) is as if empty, with a warning`, (t) => {
      const repository = newRepository(t);
      writeTagState(repository, 'os', STATE);
      writeFileSync(join(repository.path, 'extensions/tako/pull/os.json'), text);
      const warnings: string[] = [];
      assert.equal(readTagState(repository, 'os', (warning) => void warnings.push(warning)).hold, null);
      assert.equal(warnings.length, 1);
    });
  }
});
