import assert from 'node:assert/strict';
import { existsSync, linkSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../test/support/scratch.ts';
import { formatMetrics, type Metric, writeMetrics } from './metrics.ts';

const BYTES: Metric = {
  name: 'tako_store_bytes',
  help: 'Bytes of all images.',
  samples: [
    { labels: { program: 'tako', name: 'app' }, value: 1048576 },
    { labels: { program: 'tako', name: 'db' }, value: 0 },
  ],
};

describe('metrics as text', () => {
  it('have a type, a help and a line for each sample, and end with a mark', () => {
    assert.equal(
      formatMetrics([BYTES]),
      '# TYPE tako_store_bytes gauge\n' +
        '# HELP tako_store_bytes Bytes of all images.\n' +
        'tako_store_bytes{program="tako",name="app"} 1048576\n' +
        'tako_store_bytes{program="tako",name="db"} 0\n' +
        '# EOF\n',
    );
  });

  it('are only the mark when there are none, or none with samples', () => {
    assert.equal(formatMetrics([]), '# EOF\n');
    assert.equal(formatMetrics([{ ...BYTES, samples: [] }]), '# EOF\n');
  });

  it('keep the order and leave those without samples out', () => {
    const other = { name: 'b', help: 'B.', samples: [{ labels: {}, value: 1.5 }] };
    const text = formatMetrics([other, { ...BYTES, samples: [] }, { ...other, name: 'a' }]);
    assert.deepEqual(text.match(/^[a-z]\S*/gm), ['b{}', 'a{}']);
    assert.match(text, /^b\{\} 1\.5$/m);
  });

  it('escape backslash, quote and newline in labels and in the help', () => {
    const text = formatMetrics([
      { name: 'm', help: 'a\\b "c"\nd', samples: [{ labels: { name: 'x\\n"y"\nz' }, value: 1 }] },
    ]);
    assert.ok(text.includes('# HELP m a\\\\b \\"c\\"\\nd\n'));
    assert.ok(text.includes('m{name="x\\\\n\\"y\\"\\nz"} 1\n'));
    assert.equal(text.split('\n').length, 5);
  });
});

describe('the metrics file', () => {
  it('may be read by everybody, whatever the umask, and has no neighbours', (t) => {
    const path = join(scratch(t), 'tako.prom');
    const umask = process.umask(0o077);
    try {
      writeMetrics(path, [BYTES]);
    } finally {
      process.umask(umask);
    }
    assert.equal(statSync(path).mode & 0o7777, 0o644);
    assert.equal(readFileSync(path, 'utf8'), formatMetrics([BYTES]));
    assert.deepEqual(readdirSync(join(path, '..')), ['tako.prom']);
  });

  it('is replaced and never written into: who has the old one open reads it to its end', (t) => {
    const root = scratch(t);
    const path = join(root, 'tako.prom');
    writeFileSync(path, 'old', { mode: 0o600 });
    linkSync(path, join(root, 'reader'));
    writeMetrics(path, [BYTES]);
    assert.equal(readFileSync(join(root, 'reader'), 'utf8'), 'old');
    assert.equal(readFileSync(path, 'utf8'), formatMetrics([BYTES]));
    assert.equal(statSync(path).mode & 0o7777, 0o644);
  });

  it('takes the place of a link instead of what the link names', (t) => {
    const root = scratch(t);
    writeFileSync(join(root, 'target'), 'precious');
    symlinkSync('target', join(root, 'tako.prom'));
    writeMetrics(join(root, 'tako.prom'), [BYTES]);
    assert.equal(readFileSync(join(root, 'target'), 'utf8'), 'precious');
    assert.ok(statSync(join(root, 'tako.prom')).isFile());
  });

  it('in a directory that does not exist is an error, and makes none', (t) => {
    const path = join(scratch(t), 'no', 'tako.prom');
    assert.throws(() => writeMetrics(path, [BYTES]), { code: 'ENOENT' });
    assert.ok(!existsSync(join(path, '..')));
  });

  it('that cannot be put in its place leaves nothing behind', (t) => {
    const root = scratch(t);
    assert.throws(() => writeMetrics(`${root}/.`, [BYTES]), { code: 'BAD_NAME' });
    assert.deepEqual(readdirSync(root), []);
  });
});
