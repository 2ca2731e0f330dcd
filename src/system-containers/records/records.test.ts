import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { machineAt } from '../switch/machine.fixture.ts';
import { install, ONE } from '../switch/moves.fixture.ts';
import { MESSAGE_ID, recordEvent, recordFailure, writeContainerMetrics } from './index.ts';

describe('records', { skip: needs('root') }, () => {
  it('are known by ids that are all different', () => {
    const ids = Object.values(MESSAGE_ID);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  });

  it('of a host whose root is mounted somewhere do not go to the journal of this one', async (t) => {
    const { host } = machineAt(scratch(t));
    assert.equal(await recordEvent(host, 'test', { kind: 'installed', name: 'app', deployment: undefined }), false);
    const failure = { name: 'app', error: new Error('no'), isRefusal: true };
    assert.equal(await recordFailure(host, 'test', failure), false);
  });

  it('tell monitoring how each container is', async (t) => {
    const root = scratch(t);
    fs.mkdirSync(join(root, 'etc'));
    fs.mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
    const machine = machineAt(root);
    await install(machine, ONE);
    machine.units.active.set('app', 'failed');
    fs.symlinkSync('bad.0', join(machine.places.checkouts, 'bad'));
    const file = join(root, 'metrics.prom');
    await writeContainerMetrics(file, machine.host, undefined, { succeeded: new Set(), failed: new Set() });
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    assert.ok(lines.includes('tako_health{program="os-containers",name="app"} 0'));
    assert.ok(lines.includes('tako_health{program="os-containers",name="bad"} 0'));
    machine.units.active.set('app', 'active');
    await writeContainerMetrics(file, machine.host, undefined, { succeeded: new Set(['app']), failed: new Set() });
    assert.match(fs.readFileSync(file, 'utf8'), /tako_health\{program="os-containers",name="app"\} 1\n/);
    await writeContainerMetrics(file, machine.host, undefined, { succeeded: new Set(), failed: new Set(['app']) });
    assert.match(fs.readFileSync(file, 'utf8'), /tako_health\{program="os-containers",name="app"\} 0\n/);
  });
});
