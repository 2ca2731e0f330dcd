import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodedError } from '../base/error.ts';
import { watchUnits } from './health.ts';
import type { UnitStatus } from './units.ts';

const signal = new AbortController().signal;
const GOOD: UnitStatus = {
  unit: 'app.service',
  loadState: 'loaded',
  activeState: 'active',
  subState: 'running',
  result: 'success',
  type: 'simple',
  invocation: 'first',
  restarts: 0,
};

/** A manager that shows one look after the other, the last one for ever. */
function manager(...looks: readonly (readonly Partial<UnitStatus>[])[]) {
  const asked: (readonly string[])[] = [];
  return {
    asked,
    async show(units: readonly string[]): Promise<readonly UnitStatus[]> {
      const look = looks[Math.min(asked.length, looks.length - 1)] ?? [];
      asked.push(units);
      return units.map((unit, i) => ({ ...GOOD, unit, ...look[i] }));
    },
  };
}

/** Watch one unit through some looks; two looks are taken, one at once and one at the end. */
const watch = (...looks: readonly Partial<UnitStatus>[]): Promise<string | undefined> =>
  watchUnits(manager(...looks.map((look) => [look])), ['app.service'], 10, signal);

async function isWell(...looks: readonly Partial<UnitStatus>[]): Promise<void> {
  assert.equal(await watch(...looks), undefined);
}
async function isUnwell(...looks: readonly Partial<UnitStatus>[]): Promise<void> {
  assert.match((await watch(...looks)) ?? '', /^app\.service /);
}

describe('a unit', () => {
  it('that stays active is well', () => isWell(GOOD));
  it('that is reloading is well', () => isWell(GOOD, { activeState: 'reloading', subState: 'reload' }));
  it('whose automatic restarts lie in the past is well', () => isWell({ restarts: 7 }));

  for (const activeState of ['inactive', 'failed', 'activating', 'deactivating', 'maintenance', '']) {
    it(`that is ${activeState || 'in no state'} at once is not`, () => isUnwell({ activeState }));
    it(`that is ${activeState || 'in no state'} after a while is not`, () => isUnwell(GOOD, { activeState }));
  }

  it('that failed is not, and its result is told', async () => {
    assert.match((await watch({ activeState: 'failed', subState: 'failed', result: 'exit-code' })) ?? '', /exit-code/);
  });

  it('that waits for its next automatic restart is not', () =>
    isUnwell(GOOD, { activeState: 'activating', subState: 'auto-restart' }));

  it('that flaps under Restart=always, and looks active in every moment, is known by its invocation', () =>
    isUnwell(GOOD, { invocation: 'second' }));

  it('that flaps is known by its counter of restarts', () => isUnwell(GOOD, { restarts: 1 }));

  it('that flaps is known by both', () => isUnwell({ restarts: 2 }, { restarts: 5, invocation: 'sixth' }));

  it('of type oneshot that ended well is well', () =>
    isWell({ type: 'oneshot', activeState: 'inactive', subState: 'dead' }));

  it('of type oneshot that remains after its exit is well', () =>
    isWell({ type: 'oneshot', activeState: 'active', subState: 'exited' }));

  it('of type oneshot that ended badly is not', () =>
    isUnwell({ type: 'oneshot', activeState: 'failed', subState: 'failed', result: 'exit-code' }));

  it('of type oneshot that is inactive with a bad result is not', () =>
    isUnwell({ type: 'oneshot', activeState: 'inactive', result: 'timeout' }));

  it('of type oneshot that was started a second time is not', () =>
    isUnwell(
      { type: 'oneshot', activeState: 'inactive', subState: 'dead' },
      { type: 'oneshot', activeState: 'inactive', subState: 'dead', invocation: 'second' },
    ));

  it('of another type that ended well is not: it was to go on', () =>
    isUnwell({ type: 'simple', activeState: 'inactive', subState: 'dead', result: 'success' }));
});

describe('watching units', () => {
  it('asks nobody when there is none', async () => {
    const control = manager([]);
    assert.equal(await watchUnits(control, [], 1000, signal), undefined);
    assert.equal(control.asked.length, 0);
  });

  it('looks once when there is no time', async () => {
    const control = manager([GOOD], [{ activeState: 'failed' }]);
    assert.equal(await watchUnits(control, ['app.service'], 0, signal), undefined);
    assert.equal(control.asked.length, 1);
  });

  it('takes as long as it was told, and looks again at the end', async () => {
    const control = manager([GOOD]);
    const before = performance.now();
    assert.equal(await watchUnits(control, ['app.service'], 60, signal), undefined);
    assert.ok(performance.now() - before >= 55);
    assert.ok(control.asked.length >= 2);
  });

  it('looks every half second in between', async () => {
    const control = manager([GOOD], [{ restarts: 1 }], [GOOD]);
    assert.match((await watchUnits(control, ['app.service'], 10_000, signal)) ?? '', /app/);
    assert.equal(control.asked.length, 2);
  });

  it('ends with the first flaw, and names the unit that has it', async () => {
    const control = manager([{}, { activeState: 'failed' }, {}]);
    assert.match((await watchUnits(control, ['a', 'b', 'c'], 10_000, signal)) ?? '', /^b /);
    assert.deepEqual(control.asked, [['a', 'b', 'c']]);
  });

  it('compares each unit with itself', async () => {
    const looks = [
      { invocation: 'x', restarts: 3 },
      { invocation: 'y', restarts: 0 },
    ];
    assert.equal(await watchUnits(manager(looks, looks), ['a', 'b'], 10, signal), undefined);
    assert.match((await watchUnits(manager(looks, [...looks].reverse()), ['a', 'b'], 10, signal)) ?? '', /^a /);
  });

  it('ends when it is interrupted', async () => {
    const controller = new AbortController();
    const done = watchUnits(manager([GOOD]), ['a'], 60_000, controller.signal);
    setTimeout(() => controller.abort(new Error('interrupted')), 10);
    const before = performance.now();
    await assert.rejects(done);
    assert.ok(performance.now() - before < 5000);
  });

  it('passes on that the manager does not answer', async () => {
    const control = { show: () => Promise.reject(new CodedError('SYSTEMCTL_FAILED', 'no bus')) };
    await assert.rejects(watchUnits(control, ['a'], 10, signal), { code: 'SYSTEMCTL_FAILED' });
  });
});
