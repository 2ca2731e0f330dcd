/** `update --all`: every container in turn; one that fails, and was taken back, does not keep the others. */
import { codeOf } from '../../base/error.ts';
import type { Repository } from '../../ostree/index.ts';
import { listContainers } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { type Updated, type UpdateRequest, updateContainer } from './update.ts';

export interface UpdateOutcome {
  readonly name: string;
  readonly result: Updated | undefined;
  /** Why there is no result. */
  readonly error: unknown;
}

/** Sorted by name. @param onDone told of each one when it is done */
export async function updateAll(
  host: Host,
  repository: Repository | undefined,
  request: Omit<UpdateRequest, 'name' | 'rebase' | 'setValues'>,
  onDone: (outcome: UpdateOutcome) => Promise<void>,
): Promise<readonly UpdateOutcome[]> {
  const outcomes: UpdateOutcome[] = [];
  for (const { name, isPreinstalled } of listContainers(host.places)) {
    if (isPreinstalled) continue;
    host.log.action(`update ${name}`); // the lines that follow do not name it
    const outcome = await tryUpdate(host, repository, { ...request, name, setValues: new Map(), isUnasked: true });
    if (codeOf(outcome.error) === 'CONTAINER_MISSING') continue; // it was what a killed installation had left
    outcomes.push(outcome);
    await onDone(outcome);
  }
  return outcomes;
}

async function tryUpdate(
  host: Host,
  repository: Repository | undefined,
  request: UpdateRequest,
): Promise<UpdateOutcome> {
  try {
    return { name: request.name, result: await updateContainer(host, repository, request), error: undefined };
  } catch (error) {
    host.signal.throwIfAborted();
    return { name: request.name, result: undefined, error };
  }
}
