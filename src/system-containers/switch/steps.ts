/**
 * The steps of a switch, in the order of the specification (14 to 17). Each one brings one aspect of the host from what
 * `from` wants to what `to` wants, whatever state it finds: done twice it is done once, and with the two exchanged it is
 * undone. Install has no `from`, uninstall no `to`; update and rollback have both.
 */
import { explain } from '../../base/error.ts';
import { removeLink, setActive } from '../deployment/index.ts';
import { copyStep, removalStep } from '../host-files/index.ts';
import { seenFromHost } from '../places/index.ts';
import { type Course, hasService } from './course.ts';
import { call, startService, stopService, unitArgument } from './service.ts';
import { isOurs } from './stray-units.ts';
import { fragmentPath, isThere, settleFile, unitPath } from './units-on-host.ts';

export interface Step {
  readonly name: StepName;
  run(course: Course): Promise<void>;
}

export type StepName =
  | 'stop'
  | 'tmpfiles-remove'
  | 'withdraw-unit'
  | 'delete-host-files'
  | 'copy-host-files'
  | 'publish-unit'
  | 'link'
  | 'reload'
  | 'tmpfiles-create'
  | 'enable'
  | 'start';

export const STEPS: readonly Step[] = [
  { name: 'stop', run: stopService },
  { name: 'tmpfiles-remove', run: removeTemporaryFiles },
  { name: 'withdraw-unit', run: withdrawUnit },
  { name: 'delete-host-files', run: deleteHostFiles },
  { name: 'copy-host-files', run: copyHostFiles },
  { name: 'publish-unit', run: publishUnit },
  { name: 'link', run: switchLink },
  { name: 'reload', run: reload },
  { name: 'tmpfiles-create', run: createTemporaryFiles },
  { name: 'enable', run: enable },
  { name: 'start', run: startService },
];

/** Before these nothing of the host is changed but the state of the service: undo need not look at the rest. */
export const AFTER_STOP: ReadonlySet<StepName> = new Set(['enable', 'start']);

/** That what `from` made is not removed does not keep anything from being replaced. */
async function removeTemporaryFiles({ host, name, from }: Course): Promise<void> {
  const fragment = fragmentPath(host.places, name);
  if (!isThere(fragment) || !hasFragment(host, name, from)) return;
  const line = host.tmpfiles.line('--remove', seenFromHost(host.places, fragment));
  if (line !== '') host.log.action(line);
  try {
    await host.tmpfiles.remove(fragment, host.signal);
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.warning(explain(error));
  }
}

function hasFragment(host: Course['host'], name: string, from: Course['from']): boolean {
  if (from === undefined) return isOurs(host, name, fragmentPath(host.places, name));
  return hasService(from) && from.fragment !== undefined;
}

/** What `to` has none of goes at once, so that nothing starts the service while its files are taken away. */
async function withdrawUnit({ host, name, from, to, isUndo }: Course): Promise<void> {
  const isKept = hasService(to);
  if (!isKept || to.fragment === undefined) withdraw(host, name, from, fragmentPath(host.places, name));
  if (isKept || !withdraw(host, name, from, unitPath(host.places, name))) return;
  if (to === undefined && !isUndo) return forgivingReload(host);
  await host.services.daemonReload(host.signal);
}

function withdraw(host: Course['host'], name: string, from: Course['from'], path: string): boolean {
  if (from !== undefined ? !from.deployment.info.hasService : isThere(path) && !isOurs(host, name, path)) return false;
  return settleFile(path, undefined);
}

/** The unit is gone, whether systemd has heard of it or not. */
async function forgivingReload(host: Course['host']): Promise<void> {
  try {
    await host.services.daemonReload(host.signal);
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.warning(explain(error));
  }
}

async function deleteHostFiles({ host, hostPlan, strays }: Course): Promise<void> {
  if (hostPlan === undefined) return;
  for (const path of await removalStep(hostPlan, host.log)) strays.add(path);
}

async function copyHostFiles({ host, hostPlan, strays, to, isUndo }: Course): Promise<void> {
  if (hostPlan === undefined) return;
  const options = { signal: host.signal, isUndo };
  for (const path of await copyStep(hostPlan, to?.tree, host.log, options)) strays.add(path);
}

async function publishUnit({ host, name, to }: Course): Promise<void> {
  if (!hasService(to)) return;
  settleFile(unitPath(host.places, name), to.unit);
  settleFile(fragmentPath(host.places, name), to.fragment);
}

/** By rename: a container that is there at both ends is there in between. */
async function switchLink({ host, name, to }: Course): Promise<void> {
  if (to === undefined) removeLink(host.places, name);
  else setActive(host.places, name, to.deployment.slot);
}

async function reload({ host, to }: Course): Promise<void> {
  if (!hasService(to)) return;
  await call(host, ['daemon-reload'], () => host.services.daemonReload(host.signal));
}

/** Before anything can start the service. Said with `--verbose` only: it is part of putting the fragment there. */
async function createTemporaryFiles({ host, name, to }: Course): Promise<void> {
  if (!hasService(to) || to.fragment === undefined) return;
  const fragment = fragmentPath(host.places, name);
  const line = host.tmpfiles.line('--create', seenFromHost(host.places, fragment));
  if (line !== '') host.log.detail(line);
  await host.tmpfiles.create(fragment, host.signal);
}

async function enable({ host, name, to, isToBeEnabled, isUndo }: Course): Promise<void> {
  if (!hasService(to) || !isToBeEnabled) return;
  const unit = unitArgument(name);
  if (isUndo && (await host.services.enabledState(unit, host.signal)) === 'enabled') return; // it always was
  await call(host, ['enable', unit], () => host.services.enable(unit, host.signal));
}
