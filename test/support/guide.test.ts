import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockFaults, blocksOf, missingLines, printedBy, scriptOf } from './guide.ts';

const PAGE = 'One\n\n```sh\necho a\n```\n\n```text\na\n```\n\n```ini\n# /etc/x\nk=v\n```\n\n```console\nnot run\n```\n';

describe('a guide that is run', () => {
  it('becomes a script of its commands and files, and of nothing else', () => {
    const script = scriptOf(blocksOf(PAGE));
    assert.match(script, /^echo a$/m);
    assert.match(script, /^cat > '\/etc\/x' <<'@@ END'\n# \/etc\/x\nk=v\n@@ END\nchmod 644 '\/etc\/x'$/m);
    assert.doesNotMatch(script, /not run/);
  });
  it('says by its markers which block printed what', () => {
    const [first, , file] = blocksOf(PAGE);
    assert.ok(first !== undefined && file !== undefined);
    const log = '@@ line 4 of the guide\na\nb\n@@ line 12 of the guide\nc\n';
    assert.equal(printedBy(first, log), 'a\nb\n');
    assert.equal(printedBy(file, log), 'c\n');
  });
  it('may only have blocks that somebody knows what to do with', () => {
    assert.deepEqual(blockFaults(blocksOf(PAGE)), []);
    const faulty = '```yaml\na\n```\n```text\na\n```\n```ini\nk=v\n```\n';
    assert.equal(blockFaults(blocksOf(faulty)).length, 3);
  });
  it('tells output that was shown from output that was not', () => {
    assert.deepEqual(missingLines('a\n...\nb 12.5 KiB\n', 'x\na\ny\nb 3 MiB\n'), []);
    assert.deepEqual(missingLines('1.0 -> 1b0c41ab...\n', '1.0 -> 00ff\n'), []);
    assert.deepEqual(missingLines('b\na\n', 'a\nb\n'), ['a']);
    assert.deepEqual(missingLines('1.0\n', '1x0\n'), ['1.0']);
  });
});
