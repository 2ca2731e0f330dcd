import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { file, layerOf, type Made, repositoryFor, symlink, transact } from './layers.fixture.ts';
import { hasTransientRoot } from './transient-root.ts';

const ON = '# c\n[composefs]\ntransient = false\n[root]\n transient = true\n';

describe('a transient root', () => {
  const cases: readonly (readonly [string, readonly Made[], boolean])[] = [
    ['is what the configuration in usr/lib says', [file('usr/lib/ostree/prepare-root.conf', ON)], true],
    [
      'is what the configuration in usr/etc says',
      [file('usr/etc/ostree/prepare-root.conf', '[root]\ntransient=1')],
      true,
    ],
    [
      'is not when etc says otherwise than usr/lib',
      [file('usr/etc/ostree/prepare-root.conf', ''), file('usr/lib/ostree/prepare-root.conf', ON)],
      false,
    ],
    ['is not what another group says', [file('usr/lib/ostree/prepare-root.conf', '[etc]\ntransient=true\n')], false],
    ['is not the rule', [file('usr/lib/os-release')], false],
    ['is not read through links', [symlink('usr/lib/ostree/prepare-root.conf', 'x')], false],
  ];
  for (const [what, entries, expected] of cases) {
    it(what, (t) =>
      transact(repositoryFor(t), async (transaction) => {
        const { tree } = await layerOf(transaction, entries);
        assert.equal(hasTransientRoot(tree, transaction.writer.reader), expected);
      }),
    );
  }
});
