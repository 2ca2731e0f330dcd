import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Finding } from './finding.ts';
import { image, lint, manifest, mount, process, unit } from './good-image.fixture.ts';

describe('an image', () => {
  it('that is as it should be has no findings', () => {
    assert.deepEqual(lint({}, image({ 'atomic.type': 'system' })), []);
  });

  it('without the label that tells what it is for gets a hint', () => {
    assert.deepEqual(
      lint({}, image({})).map(({ severity, rule }) => [severity, rule]),
      [['hint', 'label']],
    );
  });

  it('may leave a variable for raw JSON without a default', () => {
    const findings = lint(manifest({ defaultValues: { PORT: 1 } }));
    assert.deepEqual(
      findings.map(({ rule, message }) => [rule, message.split(' ')[0]]),
      [['no-default', 'ADDTL_MOUNTS']],
    );
  });

  it('may use no runtime at all', () => {
    const none = { 'exports/config.json.template': undefined, 'exports/hostfs/etc/x/x.conf': 'x $PORT $ADDTL_MOUNTS' };
    assert.deepEqual(lint({ ...none, ...unit('$EXEC_START', '$DESTDIR/rootfs/usr/bin/x') }), []);
  });

  it('may have a command that links lead to', () => {
    const findings = lint({ ...process({ args: ['/bin/x'] }), bin: { target: 'usr/bin' } });
    assert.ok(findings.every(({ rule }) => rule !== 'command-missing'));
  });

  it('may mount what belongs to the host', () => {
    for (const source of ['/run/systemd/notify', '/run/dbus', '/etc/resolv.conf', '/']) {
      assert.ok(
        lint(mount({ source })).every(({ rule }) => !['hard-coded-path', 'mount-source'].includes(rule)),
        source,
      );
    }
  });

  it('may mount what its host files bring', () => {
    const source = mount({ source: '$CONF_DIRECTORY/x' });
    const isMissing = (findings: readonly Finding[]): boolean => findings.some(({ rule }) => rule === 'mount-source');
    assert.equal(isMissing(lint(source)), false);
    assert.equal(isMissing(lint({ ...source, 'exports/hostfs/etc/x/x.conf': undefined })), true);
  });

  it('has its worst findings first', () => {
    const findings = lint({
      ...process({ terminal: true, noNewPrivileges: false }),
      ...unit(/\[Install\][\s\S]*/, ''),
      'usr/bin/x': undefined,
    });
    assert.deepEqual([...new Set(findings.map(({ severity }) => severity))], ['error', 'warning', 'hint']);
  });
});
