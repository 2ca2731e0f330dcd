import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { installNames, parseUnit } from './unit-file.ts';

const unit = (text: string) => parseUnit(Buffer.from(text));

describe('a unit file', () => {
  it('has values by section and key, in their order', () => {
    const { values, value, entries } = unit(
      '[Unit]\nAfter=a\n[Service]\nExecStartPre=x\nExecStartPre = y z \n[Unit]\nAfter=b',
    );
    assert.deepEqual(values('Unit', 'After'), ['a', 'b']);
    assert.deepEqual(values('Service', 'ExecStartPre'), ['x', 'y z']);
    assert.deepEqual([value('Service', 'ExecStartPre'), value('Service', 'After')], ['y z', undefined]);
    assert.deepEqual(
      entries.map(({ line }) => line),
      [2, 4, 5, 7],
    );
  });

  it('drops what stands before an empty value', () => {
    assert.deepEqual(unit('[S]\nA=1\nA=\nA=2\n').values('S', 'A'), ['2']);
    assert.equal(unit('[S]\nA=1\nA=\n').value('S', 'A'), undefined);
  });

  it('goes on behind a backslash, over comments', () => {
    const { entries } = unit('[S]\nA=a \\\n# not this\n; nor this\n  b \\\n\nB=c\n');
    assert.deepEqual(
      entries.map(({ key, value }) => [key, value.replace(/ +/g, ' ')]),
      [
        ['A', 'a b'],
        ['B', 'c'],
      ],
    );
    assert.equal(unit('[S]\nA=a\\').value('S', 'A'), 'a');
  });

  it('leaves out comments, empty lines and what is no assignment', () => {
    assert.deepEqual(unit('# c\n; d\n\n[S]\nnothing\n  A=1\n#A=2').entries, [
      { section: 'S', key: 'A', value: '1', line: 6 },
    ]);
  });

  it('keeps everything behind the first equals sign', () => {
    assert.equal(unit('[S]\nEnvironment=A=b=c').value('S', 'Environment'), 'A=b=c');
  });

  it('may be any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => parseUnit(bytes).entries.every(({ line }) => line >= 1)));
    assert.deepEqual(parseUnit(Buffer.from([0xff, 0x00, 0x0a, 0x3d])).entries.length, 1);
  });
});

describe('the names of an installation', () => {
  it('are the words of all lines', () => {
    const text =
      '[Unit]\nAlias=no\n[Install]\nWantedBy=multi-user.target\nAlias=a.service b.service\nAlias=\nAlias=c.service\nAlso=d.socket\nRequiredBy=e.target \\\n  f.target\nUpheldBy=g.target\n';
    assert.deepEqual(installNames(unit(text)), {
      alias: ['a.service', 'b.service', 'c.service'],
      also: ['d.socket'],
      requiredBy: ['e.target', 'f.target'],
      wantedBy: ['multi-user.target'],
      upheldBy: ['g.target'],
    });
  });
});
