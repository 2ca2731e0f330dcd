import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTemplate, variablesIn } from '../template/index.ts';
import { defaultUnit } from './default-unit.ts';

const text = (...options: Parameters<typeof defaultUnit>): string => Buffer.from(defaultUnit(...options)).toString();

describe('the unit of an image that brings none', () => {
  it('is this one', () => {
    assert.equal(
      text({ scope: 'system', isDetached: true }),
      `[Unit]
Description=$NAME

[Service]
Type=forking
PIDFile=$PIDFILE
ExecStartPre=$EXEC_STARTPRE
ExecStart=$EXEC_START
ExecStopPost=$EXEC_STOPPOST
Restart=on-failure
WorkingDirectory=$DESTDIR

[Install]
WantedBy=multi-user.target
`,
    );
  });

  it('stays with its launcher when the runtime cannot detach', () => {
    const unit = text({ scope: 'system', isDetached: false });
    assert.doesNotMatch(unit, /forking|PIDFILE|STOPPOST/);
    assert.match(unit, /^ExecStop=\$EXEC_STOP$/m);
  });

  it('belongs to a target that users have', () => {
    assert.match(text({ scope: 'user', isDetached: true }), /^WantedBy=default\.target$/m);
  });

  it('is a template of variables that every deployment has', () => {
    const used = variablesIn(parseTemplate(defaultUnit({ scope: 'system', isDetached: true }), 'default unit'));
    assert.deepEqual([...used].sort(), ['DESTDIR', 'EXEC_START', 'EXEC_STARTPRE', 'EXEC_STOPPOST', 'NAME', 'PIDFILE']);
  });
});
