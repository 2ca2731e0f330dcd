/** The service of a container: its name for systemctl, what its states mean, how it is stopped and started. */
import { readExports } from '../contract/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { type Course, hasService, type Side } from './course.ts';
import { isThere, unitPath } from './units-on-host.ts';

/** Words at the end of a name that systemctl takes for a type of unit: it adds `.service` to all others. */
const TYPES = /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

/** As systemctl is called, and as the log shows it: `etcd`. */
export const unitArgument = (name: string): string => (TYPES.test(name) ? `${name}.service` : name);

const RUNNING: ReadonlySet<string> = new Set(['active', 'activating', 'deactivating', 'reloading', 'refreshing']);
const TO_RUN: ReadonlySet<string> = new Set(['active', 'activating', 'reloading', 'refreshing']);
const NOT_ENABLED: ReadonlySet<string> = new Set(['disabled', 'masked', 'masked-runtime', 'linked', 'linked-runtime']);

export interface ServiceState {
  /** Of `is-active`. */
  readonly word: string;
  readonly isActive: boolean;
  readonly isEnabled: boolean;
}

/** As it is before a switch. */
export async function lookAtService(host: Pick<Host, 'services' | 'signal'>, name: string): Promise<ServiceState> {
  const unit = unitArgument(name);
  const active = await host.services.activeState(unit, host.signal);
  const enabled = await host.services.enabledState(unit, host.signal);
  return { word: active, isActive: TO_RUN.has(active), isEnabled: !NOT_ENABLED.has(enabled) };
}

/** Log the call and make it; a call that is not made on a host that is not booted is not logged either. */
export async function call(host: Host, words: readonly string[], work: () => Promise<void>): Promise<void> {
  const line = host.services.line(...words);
  if (line !== '') host.log.action(line);
  await work();
}

/** Stopped and disabled. @throws ContainerError SERVICE_DID_NOT_STOP */
export async function stopService({ host, name, from, to, isUndo }: Course): Promise<void> {
  const unit = unitArgument(name);
  const isRemoval = to === undefined && !isUndo;
  const hasUnit = isThere(unitPath(host.places, name));
  if (from !== undefined ? !hasService(from) : !isRemoval) return;
  if (!(isRemoval && hasUnit) && !(await needsStop(host, unit, hasUnit))) return;
  let failure: unknown;
  try {
    await call(host, ['--now', 'disable', unit], () => host.services.disableNow(unit, host.signal));
  } catch (error) {
    host.signal.throwIfAborted();
    failure = error;
  }
  // Without its file a unit can be stopped and not be disabled.
  if (failure !== undefined && !hasUnit) await host.services.stop(unit, host.signal);
  const state = await host.services.activeState(unit, host.signal);
  if (RUNNING.has(state)) throw didNotStop(name, state, failure);
  if (failure !== undefined && from !== undefined && hasUnit) throw failure;
  // A process that had to be killed leaves state of the runtime behind, and the next start fails over it.
  if (to === undefined || state === 'failed') await forgetInRuntime(host, name, from);
}

async function needsStop(host: Host, unit: string, hasUnit: boolean): Promise<boolean> {
  if (RUNNING.has(await host.services.activeState(unit, host.signal))) return true;
  return hasUnit && !NOT_ENABLED.has(await host.services.enabledState(unit, host.signal));
}

function didNotStop(name: string, state: string, cause: unknown): ContainerError {
  return new ContainerError('SERVICE_DID_NOT_STOP', `service ${name}: still ${state} after it was stopped`, {
    cause,
    hint: `see "systemctl status ${unitArgument(name)}"; nothing else was changed`,
    subject: name,
  });
}

/** Nothing that a switch depends on: where it matters, the start says so. */
async function forgetInRuntime(host: Host, name: string, side: Side | undefined): Promise<void> {
  const path = side?.deployment.info.runtime ?? '';
  if (path === '' || host.services.line('start', name) === '') return;
  try {
    await host.runtime(path).deleteForce(name, host.signal);
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.detail(`${path}: state of ${name} not deleted: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @throws ContainerError SERVICE_DID_NOT_START */
export async function startService(course: Course): Promise<void> {
  const { host, name, to, isToRun } = course;
  if (!isToRun || !hasService(to)) return;
  const unit = unitArgument(name);
  const state = await host.services.activeState(unit, host.signal);
  if (course.isUndo && TO_RUN.has(state)) return; // it was never stopped
  if (state === 'failed') await host.services.resetFailed(unit, host.signal);
  await forgetInRuntime(host, name, to);
  const flaw = await tryStart(course, to, unit);
  if (flaw === undefined) return;
  throw new ContainerError('SERVICE_DID_NOT_START', `service ${name}: ${flaw.text}`, {
    cause: flaw.cause,
    hint: `see "journalctl --unit ${unit}"`,
    subject: name,
  });
}

interface Flaw {
  readonly text: string;
  readonly cause?: unknown;
}

async function tryStart({ host, name, graceMs }: Course, to: Side, unit: string): Promise<Flaw | undefined> {
  try {
    await call(host, ['start', unit], () => host.services.start(unit, host.signal));
  } catch (cause) {
    host.signal.throwIfAborted();
    return { text: 'it could not be started', cause };
  }
  if (host.services.line('start', unit) === '') return undefined;
  const problem = (await host.services.watch(unit, graceMs, host.signal)) ?? (await checkHealth(host, name, to));
  return problem === undefined ? undefined : { text: problem };
}

/** What `exports/check` of the image says, run inside the container. */
const CHECK = '/exports/check';
const CHECK_TIMEOUT_MS = 30_000;

async function checkHealth(host: Host, name: string, { deployment, tree }: Side): Promise<string | undefined> {
  if (deployment.info.runtime === '' || !readExports(tree).check) return undefined;
  const runtime = host.runtime(deployment.info.runtime);
  const options = { timeoutMs: CHECK_TIMEOUT_MS };
  const { status, output, timedOut } = await runtime.execCaptured(name, [CHECK], options, host.signal);
  if (timedOut) return `its ${CHECK} did not end within ${CHECK_TIMEOUT_MS / 1000} s`;
  if (status === 0) return undefined;
  const said = output.trim().split('\n').at(-1) ?? '';
  return `its ${CHECK} ended with status ${status}${said === '' ? '' : `: ${said}`}`;
}
