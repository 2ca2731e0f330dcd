/** The unit files that are shipped, judged by systemd's own tools; nothing is started. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { CHECKOUT, run } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const SHIPPED = join(CHECKOUT, 'systemd');
const SERVICES = readdirSync(SHIPPED).filter((name) => name.endsWith('.service'));
/** What the sandbox begins with, after a blank line. */
const SANDBOX = /\n# (?:The only place|Not ProtectSystem=)/;
const OTHERS = readdirSync(SHIPPED).filter((name) => !name.endsWith('.service'));
/** The exposure that each has to stay below. 5 is what systemd calls "OK"; a runtime for containers needs to do more. */
const LIMITS: Readonly<Record<string, number>> = { 'os-containers-update.service': 7.5 };

/** What `systemd-analyze security` says about a unit file in the end. */
async function exposure(file: string): Promise<{ readonly level: number; readonly word: string }> {
  const { stdout, stderr } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', file]);
  const [, level, word] = /^→ Overall exposure level for \S+: ([0-9.]+) ([A-Z]+)/m.exec(stdout) ?? [];
  assert.ok(level !== undefined && word !== undefined, stdout + stderr);
  return { level: Number(level), word };
}

/** A root with systemd's own units, ours, and a program where the units look for it. */
function rootWith(dir: string, units: Readonly<Record<string, string>>): string {
  const root = join(dir, 'root');
  const system = 'usr/lib/systemd/system';
  for (const sub of ['usr/bin', 'etc/systemd/system', system]) mkdirSync(join(root, sub), { recursive: true });
  cpSync(`/${system}`, join(root, system), { recursive: true, verbatimSymlinks: true });
  for (const name of ['tako', 'os-containers']) {
    writeFileSync(join(root, 'usr/bin', name), '#!/bin/sh\n', { mode: 0o755 });
  }
  for (const [name, text] of Object.entries(units)) writeFileSync(join(root, 'etc/systemd/system', name), text);
  return root;
}

async function verified(root: string, units: readonly string[]): Promise<{ status: number | null; said: string }> {
  const { status, stdout, stderr } = await run('systemd-analyze', ['verify', `--root=${root}`, ...units]);
  return { status, said: stdout + stderr };
}

describe('the shipped units', { skip: needs('systemd-analyze') }, () => {
  it('are three services and two timers', () => {
    const update = ['os-containers-update.service', 'os-containers-update.timer'];
    const tako = ['tako-init@.service', 'tako@.service', 'tako@.timer'];
    assert.deepEqual([...SERVICES, ...OTHERS].sort(), [...update, ...tako]);
  });

  it('the one that updates containers keeps every capability: a check is run with those of its container', () => {
    const text = readFileSync(join(SHIPPED, 'os-containers-update.service'), 'utf8').replace(/^#.*$/gm, '');
    const takes = /^(CapabilityBoundingSet|ProtectKernelModules|ProtectKernelLogs|ProtectClock|PrivateDevices)=/m;
    assert.doesNotMatch(text, takes);
  });

  for (const name of SERVICES) {
    const limit = LIMITS[name] ?? 5;
    it(`${name}: its exposure is below ${limit}`, async (t) => {
      const { level, word } = await exposure(join(SHIPPED, name));
      assert.ok(level < limit, `${level} ${word}`);
      // The same unit without its sandbox is told apart from it.
      const bare = join(scratch(t), name);
      writeFileSync(bare, readFileSync(join(SHIPPED, name), 'utf8').split(SANDBOX)[0] ?? '');
      const without = await exposure(bare);
      assert.ok(without.level > 9 && without.word === 'UNSAFE', `${without.level} ${without.word}`);
    });
  }

  it('systemd-analyze verify has nothing to say about them', async (t) => {
    const texts = [...SERVICES, ...OTHERS].map((name) => [name, readFileSync(join(SHIPPED, name), 'utf8')]);
    const units = texts.map(([name = '']) => name.replace('@', '@app'));
    const root = rootWith(scratch(t), Object.fromEntries(texts));
    assert.deepEqual(await verified(root, units), { status: 0, said: '' });
  });

  it('systemd-analyze verify would say something about a key it does not know, or a program that is not there', async (t) => {
    const text = readFileSync(join(SHIPPED, 'tako@.service'), 'utf8');
    const wrong = {
      'a@.service': text.replace('UMask=', 'Umask='),
      'b@.service': text.replace('bin/tako', 'bin/takko'),
    };
    const root = rootWith(scratch(t), wrong);
    const a = await verified(root, ['a@app.service']);
    assert.match(a.said, /Unknown key (name )?'Umask'/);
    const b = await verified(root, ['b@app.service']);
    assert.match(b.said, /takko is not executable/);
  });
});
