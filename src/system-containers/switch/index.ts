/** One engine that brings the host from one deployment to another, and takes that back: journal, undo, recovery. */
export { assertChangeable } from './changeable.ts';
export { type ContainerLock, lockContainer, withContainerLock, withNamesLock } from './container-lock.ts';
export { type Journal, type Operation, readJournal } from './journal.ts';
export { planSwitch } from './plan-host-files.ts';
export { type Recovery, recover, recoverIfPossible, withContainer } from './recover.ts';
export { type RemovalRequest, type Removed, removeContainer } from './remove.ts';
export { lookAtService, type ServiceState } from './service.ts';
export { readTarget } from './side.ts';
export { type Switched, type SwitchRequest, switchDeployment } from './switch.ts';
export { fragmentPath, unitFilesInTheWay, unitPath } from './units-on-host.ts';
