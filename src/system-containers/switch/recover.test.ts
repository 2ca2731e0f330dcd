import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { findContainer, openContainer } from '../deployment/index.ts';
import {
  type Removed,
  readJournal,
  recoverIfPossible,
  removeContainer,
  withContainer,
  withContainerLock,
} from './index.ts';
import { freeze, type Machine, type MachineOptions, machineAt } from './machine.fixture.ts';
import { goBack, install, leftovers, ONE, outside, snapshot, start, TWO, update, visible } from './moves.fixture.ts';

const needsRoot = { skip: needs('root') };

type Frozen = MachineOptions & { readonly root: string };

/** Do it on one machine, and keep what a kill at each moment would have left. */
async function moments(
  t: TestContext,
  prepare: (machine: Machine) => Promise<void>,
  work: (machine: Machine) => Promise<unknown>,
  options: MachineOptions = {},
): Promise<{
  readonly before: ReturnType<typeof snapshot>;
  readonly after: Machine;
  readonly frozen: readonly Frozen[];
}> {
  const [root, copies] = [scratch(t), scratch(t)];
  fs.mkdirSync(join(root, 'etc'));
  fs.mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  const frozen: Frozen[] = [];
  let isAtWork = false;
  const machine: Machine = machineAt(root, {
    ...options,
    onEvent: (event) => {
      if (isAtWork) frozen.push(freeze(machine, join(copies, String(frozen.length))));
      options.onEvent?.(event);
    },
  });
  await prepare(machine);
  const before = snapshot(machine);
  isAtWork = true;
  await work(machine);
  isAtWork = false;
  return { before, after: machine, frozen };
}

const installed = async (machine: Machine): Promise<void> => {
  await install(machine, ONE);
  start(machine);
};

/** The next command on the container, whatever it does. */
const nextCommand = (machine: Machine): Promise<void> => withContainer(machine.host, 'app', async () => undefined);

const remove = (machine: Machine, purge = false): Promise<Removed> =>
  withContainer(machine.host, 'app', (lock) => removeContainer(machine.host, lock, { name: 'app', purge }));

describe('a command that was killed', needsRoot, () => {
  it('in an update is taken back by the next one, to the byte', async (t) => {
    const { before, frozen } = await moments(t, installed, (machine) => update(machine, TWO));
    assert.ok(frozen.length > 10);
    for (const each of frozen) {
      const machine = machineAt(each.root, each);
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before, each.root);
      assert.deepEqual(
        leftovers(machine).filter((name) => !name.includes('tmp-')),
        [],
      );
    }
  });

  it('in an update can be updated again at once', async (t) => {
    const { after, frozen } = await moments(t, installed, (machine) => update(machine, TWO));
    for (const each of frozen) {
      const machine = machineAt(each.root, each);
      await update(machine, TWO);
      assert.deepEqual(outside(snapshot(machine)), outside(snapshot(after)), each.root);
    }
  });

  it('in the third version of a container keeps the way back', async (t) => {
    const prepare = async (machine: Machine): Promise<void> => {
      await installed(machine);
      await update(machine, TWO);
    };
    const { before, frozen } = await moments(t, prepare, (machine) => update(machine, { ...ONE, version: 'three' }));
    for (const each of frozen) {
      const machine = machineAt(each.root, each);
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before, each.root);
    }
  });

  it('in a rollback is taken back, with the info of the deployment it was going to', async (t) => {
    const prepare = async (machine: Machine): Promise<void> => {
      await installed(machine);
      await update(machine, TWO);
    };
    const { before, frozen } = await moments(t, prepare, goBack);
    for (const each of frozen) {
      const machine = machineAt(each.root, each);
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before, each.root);
    }
  });

  it('in an installation leaves nothing, and the name is free', async (t) => {
    const { before, frozen } = await moments(
      t,
      async () => undefined,
      (machine) => install(machine, ONE),
    );
    for (const each of frozen) {
      const machine = machineAt(each.root, each);
      await nextCommand(machine);
      assert.deepEqual(visible(snapshot(machine)), visible(before), each.root);
      assert.equal(findContainer(machine.places, 'app'), undefined);
    }
  });

  it('in a removal is finished', async (t) => {
    const { after, frozen } = await moments(t, installed, (machine) => remove(machine));
    const gone = snapshot(after);
    for (const each of frozen) {
      const machine = machineAt(each.root, each);
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), gone, each.root);
      assert.equal(findContainer(machine.places, 'app'), undefined);
    }
  });

  it('while it deleted deployments leaves nothing of them to a removal', async (t) => {
    const machine = machineAt(scratch(t));
    fs.mkdirSync(join(machine.root, 'etc'));
    fs.mkdirSync(join(machine.root, 'usr/local/bin'), { recursive: true });
    await installed(machine);
    fs.mkdirSync(join(machine.places.checkouts, '.app.1.tmp-0a1b2c3d/rootfs'), { recursive: true });
    await remove(machine);
    assert.deepEqual(leftovers(machine), []);
  });

  it('while it took back an update is taken back all the same', async (t) => {
    const options: MachineOptions = { startsAs: (unit) => (unit.includes('two') ? 'failed' : 'active') };
    const work = (machine: Machine): Promise<void> =>
      assert.rejects(update(machine, TWO), { code: 'SERVICE_DID_NOT_START' });
    const { before, frozen } = await moments(t, installed, work, options);
    for (const each of frozen) {
      const machine = machineAt(each.root, { ...each, ...options });
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before, each.root);
    }
  });

  it('is put in order by a run that is killed itself, and by the next one', async (t) => {
    const { before, frozen } = await moments(t, installed, (machine) => update(machine, TWO));
    const middle = frozen[Math.floor(frozen.length * 0.7)];
    assert.ok(middle);
    const copies = scratch(t);
    const again: Frozen[] = [];
    const second: Machine = machineAt(middle.root, {
      ...middle,
      onEvent: () => again.push(freeze(second, join(copies, String(again.length)))),
    });
    await nextCommand(second);
    assert.ok(again.length > 5);
    for (const each of again) {
      const machine = machineAt(each.root, each);
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before, each.root);
    }
  });

  it('after a restart of the host is taken back with the service running', async (t) => {
    const { before, frozen } = await moments(t, installed, (machine) => update(machine, TWO));
    for (const each of frozen) {
      const enabled = each.units?.enabled ?? new Set<string>();
      const active = new Map([...enabled].map((unit) => [unit, 'active']));
      const machine = machineAt(each.root, { units: { enabled, active } });
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before, each.root);
    }
  });
});

describe('what the administrator had done before an update that is taken back', needsRoot, () => {
  it('is as he had it: changed, removed, given to others', async (t) => {
    const prepare = async (machine: Machine): Promise<void> => {
      await installed(machine);
      fs.writeFileSync(join(machine.root, 'etc/app/app.conf'), 'mine\n');
      fs.rmSync(join(machine.root, 'etc/app/old'));
      fs.chmodSync(join(machine.root, 'usr/local/bin/ctl'), 0o700);
    };
    const { before, frozen } = await moments(t, prepare, (machine) => update(machine, TWO));
    for (const each of frozen) {
      const machine = machineAt(each.root, each);
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before, each.root);
    }
  });
});

describe('a file of a version that fails', needsRoot, () => {
  it('and that was changed before all was taken back is told by the removal of the container', async (t) => {
    let isUp = false;
    const machine: Machine = machineAt(scratch(t), {
      startsAs: (unit) => (unit.includes('two') ? 'failed' : 'active'),
      onEvent(event) {
        if (isUp && event === 'systemctl: start') fs.writeFileSync(join(machine.root, 'etc/app/new'), 'changed\n');
      },
    });
    fs.mkdirSync(join(machine.root, 'etc'));
    fs.mkdirSync(join(machine.root, 'usr/local/bin'), { recursive: true });
    await installed(machine);
    isUp = true;
    await assert.rejects(update(machine, TWO), { code: 'SERVICE_DID_NOT_START' });
    assert.equal(readJournal(machine.places, 'app'), undefined);
    assert.deepEqual(await remove(machine).then(({ keptFiles }) => keptFiles), ['/etc/app/new']);
    assert.deepEqual(fs.readdirSync(join(machine.root, 'etc/app')), ['new']);
  });
});

describe('a helper that goes on failing', needsRoot, () => {
  it('keeps the journal, and the first command after it works puts all in order', async (t) => {
    for (const fault of ['systemctl: reload', 'systemctl: enable']) {
      let isBroken = false;
      const root = scratch(t);
      fs.mkdirSync(join(root, 'etc'));
      fs.mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
      const machine = machineAt(root, {
        onEvent(event) {
          if (isBroken && event === fault) throw new Error('no bus');
        },
      });
      await installed(machine);
      const before = snapshot(machine);
      isBroken = true;
      await assert.rejects(update(machine, TWO), /no bus/);
      assert.equal(readJournal(machine.places, 'app')?.direction, 'back');
      await assert.rejects(nextCommand(machine), { code: 'CONTAINER_BROKEN' });
      isBroken = false;
      await nextCommand(machine);
      assert.deepEqual(snapshot(machine), before);
    }
  });

  it('does not keep a container from being removed', async (t) => {
    const machine = machineAt(scratch(t));
    fs.mkdirSync(join(machine.root, 'etc'));
    fs.mkdirSync(join(machine.root, 'usr/local/bin'), { recursive: true });
    await installed(machine);
    fs.writeFileSync(join(machine.places.state, 'app.journal'), 'half a journ');
    await assert.rejects(nextCommand(machine), { code: 'BAD_JOURNAL' });
    await withContainerLock(machine.host, 'app', async (lock) => {
      await recoverIfPossible(machine.host, lock, 'app');
      await removeContainer(machine.host, lock, { name: 'app', purge: false });
    });
    assert.throws(() => openContainer(machine.places, 'app'), { code: 'CONTAINER_MISSING' });
    assert.equal(fs.existsSync(join(machine.root, 'etc/app')), false);
  });
});
