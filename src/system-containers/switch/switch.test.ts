import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { openContainer, rollbackTarget } from '../deployment/index.ts';
import { type Machine, machineAt } from './machine.fixture.ts';
import { goBack, install, leftovers, ONE, outside, snapshot, start, TWO, update, visible } from './moves.fixture.ts';

const needsRoot = { skip: needs('root') };

function hostAt(t: Parameters<typeof scratch>[0], options: Parameters<typeof machineAt>[1] = {}): Machine {
  const root = scratch(t);
  fs.mkdirSync(join(root, 'etc'));
  fs.mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  return machineAt(root, options);
}

describe('a switch', needsRoot, () => {
  it('installs in the order that an administrator knows, and does not start', async (t) => {
    const machine = hostAt(t);
    await install(machine, ONE);
    assert.deepEqual(machine.lines, [
      'copied /etc/app/app.conf',
      'copied /etc/app/old',
      'copied /usr/local/bin/ctl',
      'systemctl daemon-reload',
      'systemctl enable app',
    ]);
    assert.equal(fs.readlinkSync(join(machine.places.checkouts, 'app')), 'app.0');
    assert.equal(machine.units.active.size, 0);
    assert.ok(machine.events.indexOf('tmpfiles --create') < machine.events.indexOf('systemctl: enable'));
  });

  it('updates line for line, with the service running again at the end', async (t) => {
    const machine = hostAt(t);
    await install(machine, ONE);
    start(machine);
    machine.lines.length = 0;
    const { started, removedSlots } = await update(machine, TWO);
    assert.deepEqual(machine.lines, [
      'systemctl --now disable app',
      'systemd-tmpfiles --remove /etc/tmpfiles.d/app.conf',
      'file /etc/app/app.conf deleted',
      'file /etc/app/old deleted',
      'file /usr/local/bin/ctl deleted',
      'copied /etc/app/app.conf',
      'copied /etc/app/new',
      'copied /usr/local/bin/ctl',
      'systemctl daemon-reload',
      'systemctl enable app',
      'systemctl start app',
    ]);
    assert.deepEqual([started, removedSlots], [true, []]);
    assert.equal(fs.readFileSync(join(machine.root, 'etc/app/app.conf'), 'utf8'), 'two\n');
    assert.equal(fs.existsSync(join(machine.root, 'etc/app/old')), false);
    assert.match(fs.readFileSync(join(machine.places.units, 'app.service'), 'utf8'), /two/);
  });

  it('leaves a service disabled and stopped that an administrator has disabled and stopped', async (t) => {
    const machine = hostAt(t);
    await install(machine, ONE);
    machine.units.enabled.clear();
    machine.lines.length = 0;
    await update(machine, TWO);
    assert.deepEqual([machine.units.enabled.size, machine.units.active.size], [0, 0]);
    assert.equal(
      machine.lines.some((line) => /able app|start app/.test(line)),
      false,
    );
  });

  it('goes back, and back again, to the same host', async (t) => {
    const machine = hostAt(t);
    await install(machine, ONE);
    start(machine);
    const first = snapshot(machine);
    await update(machine, TWO);
    const second = snapshot(machine);
    await goBack(machine);
    assert.deepEqual(outside(snapshot(machine)), outside(first));
    await goBack(machine);
    assert.deepEqual(outside(snapshot(machine)), outside(second));
  });

  it('replaces the older of two deployments and keeps the one before', async (t) => {
    const machine = hostAt(t);
    await install(machine, ONE);
    await update(machine, TWO);
    const { removedSlots } = await update(machine, { ...ONE, version: 'three' });
    assert.deepEqual(removedSlots, [0]);
    assert.equal(rollbackTarget(openContainer(machine.places, 'app'))?.info.revision, 'two');
    assert.deepEqual(leftovers(machine), []);
  });

  it('comes back when the new version does not start, byte for byte, with the deployment before it', async (t) => {
    const machine = hostAt(t, { startsAs: (unit) => (unit.includes('bad') ? 'failed' : 'active') });
    await install(machine, ONE);
    start(machine);
    await update(machine, TWO);
    const before = snapshot(machine);
    await assert.rejects(update(machine, { ...ONE, version: 'bad' }), { code: 'SERVICE_DID_NOT_START' });
    assert.deepEqual(snapshot(machine), before);
    assert.ok(machine.warnings.includes('Could not restart app.  Attempt automatic rollback'));
    await goBack(machine);
    assert.equal(openContainer(machine.places, 'app').active?.info.revision, 'one');
  });

  it('asks the check of the image, and comes back when that is not content', async (t) => {
    const machine = hostAt(t, { check: () => ({ status: 3, output: 'no leader\n' }) });
    await install(machine, ONE);
    start(machine);
    const before = snapshot(machine);
    await assert.rejects(update(machine, { ...TWO, hasCheck: true }), /exports\/check ended with status 3: no leader/);
    assert.deepEqual(snapshot(machine), before);
  });

  it('changes nothing when the service does not stop', async (t) => {
    const machine = hostAt(t);
    await install(machine, ONE);
    start(machine);
    const before = snapshot(machine);
    const { services } = machine.host;
    const host = {
      ...machine.host,
      services: { ...services, disableNow: async () => void machine.units.enabled.clear() },
    };
    await assert.rejects(update({ ...machine, host }, TWO), { code: 'SERVICE_DID_NOT_STOP' });
    assert.deepEqual(snapshot(machine), before);
  });

  it('makes no call of systemctl for an image without a service', async (t) => {
    const machine = hostAt(t);
    await install(machine, { ...ONE, hasService: false });
    assert.deepEqual(machine.events, machine.lines);
    assert.deepEqual(machine.lines, ['copied /etc/app/app.conf', 'copied /etc/app/old', 'copied /usr/local/bin/ctl']);
    assert.equal(fs.existsSync(join(machine.places.units, 'app.service')), false);
  });

  it('keeps a file that was changed, tells so, and puts the new default beside it', async (t) => {
    const machine = hostAt(t);
    await install(machine, ONE);
    fs.writeFileSync(join(machine.root, 'etc/app/app.conf'), 'mine\n');
    const { plan } = await update(machine, TWO);
    assert.deepEqual(plan.kept, ['/etc/app/app.conf']);
    assert.equal(fs.readFileSync(join(machine.root, 'etc/app/app.conf'), 'utf8'), 'mine\n');
    assert.equal(fs.readFileSync(join(machine.root, 'etc/app/app.conf.new'), 'utf8'), 'two\n');
  });

  it('is taken back when it is interrupted, and says by what', async (t) => {
    const abort = new AbortController();
    const machine = hostAt(t, {
      onEvent: (event) => event === 'systemctl: reload' && abort.abort(new Error('Ctrl-C')),
    });
    await install({ ...machine, host: { ...machine.host, signal: new AbortController().signal } }, ONE);
    start(machine);
    const before = snapshot(machine);
    const fresh = new AbortController();
    const again = machineAt(machine.root, {
      units: machine.units,
      onEvent: (event) => event === 'systemctl: reload' && fresh.abort(new Error('Ctrl-C')),
    });
    await assert.rejects(update({ ...again, host: { ...again.host, signal: fresh.signal } }, TWO), /Ctrl-C/);
    assert.deepEqual(snapshot(machine), before);
  });
});

describe('a helper or a file that fails', needsRoot, () => {
  it('leaves the host as it was, at whatever call of an update', async (t) => {
    await atEachCall(
      t,
      async (machine) => void (await install(machine, ONE)),
      (machine) => update(machine, TWO),
    );
  });

  it('leaves nothing of an installation', async (t) => {
    await atEachCall(
      t,
      async () => undefined,
      (machine) => install(machine, ONE),
    );
  });

  it('leaves the host as it was, at whatever call of a rollback', async (t) => {
    const prepare = async (machine: Machine): Promise<void> => {
      await install(machine, ONE);
      await update(machine, TWO);
    };
    await atEachCall(t, prepare, goBack);
  });
});

/** One after the other each call of a helper and each host file fails, once. */
async function atEachCall(
  t: Parameters<typeof scratch>[0],
  prepare: (machine: Machine) => Promise<void>,
  work: (machine: Machine) => Promise<unknown>,
): Promise<void> {
  let hasHit = true;
  let hits = 0;
  for (let at = 0; hasHit; at++) {
    hasHit = false;
    let count = -1;
    const machine = hostAt(t, {
      onEvent(event) {
        if (count < 0 || !/^(systemctl:|tmpfiles|runtime|copied|file)/.test(event)) return;
        if (count++ !== at) return;
        // These are asked nicely: the work goes on without them.
        if (event === 'tmpfiles --remove' || event === 'runtime delete') count--;
        if (event === 'tmpfiles --remove' || event === 'runtime delete') return;
        hasHit = true;
        throw new Error(`fault ${at}: ${event}`);
      },
    });
    await prepare(machine);
    const isThere = fs.existsSync(join(machine.places.units, 'app.service'));
    if (isThere) start(machine);
    const before = snapshot(machine);
    count = 0;
    const failure = await work(machine).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!hasHit) break;
    hits++;
    assert.ok(failure instanceof Error);
    assert.deepEqual(visible(snapshot(machine)), visible(before), String(failure));
    assert.deepEqual(leftovers(machine), [], String(failure));
  }
  assert.ok(hits >= 2, `${hits} calls were hit`);
}
