/** Which of the three ways a command takes: into what runs, into what is installed, or into an image. */
import type { Repository } from '../../ostree/index.ts';
import { activeOf, type Deployment, findContainer, rootfsOf } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { isContainerName } from '../names/index.ts';
import type { Values } from '../template/index.ts';
import { runInBundle } from './bundle.ts';
import { runImage } from './image.ts';
import { withPidFile } from './started.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

export { COULD_NOT_START } from './started.ts';

export interface RunRequest {
  /** Name of a container, or an image. */
  readonly subject: string;
  readonly command: readonly string[];
  /** For images. */
  readonly setValues: Values;
  /** For images. */
  readonly permissions: readonly string[];
  /** Is there a terminal to run it on? */
  readonly tty: boolean;
  /** Do not wait for it; only in a container that runs. */
  readonly detach?: boolean | undefined;
  /** For images, and for containers that do not know theirs. Called when one is wanted. */
  readonly runtimePath: () => string;
  /** Called when an image is wanted. */
  readonly openRepository: () => Repository;
}

/**
 * On our own terminal. @returns the exit status of the command; COULD_NOT_START when the runtime could not start it
 * @throws ContainerError BAD_VALUE, CONTAINER_BROKEN, IMAGE_NOT_STORED, IMAGE_EXPORTS_HOST_FILES; as `prepare`
 */
export async function runCommand(host: Host, request: RunRequest): Promise<number> {
  const container = isContainerName(request.subject) ? findContainer(host.places, request.subject) : undefined;
  if (container === undefined) {
    assertAttached(request);
    return runImage(host, request);
  }
  assertNothingSet(request);
  const deployment = activeOf(container);
  const isRunning = deployment.info.hasService && (await isActive(host, container.name));
  if (isRunning) return execute(host, deployment, request);
  assertAttached(request);
  return runInstalled(host, deployment, request);
}

/** What is made for one command goes when that command has ended: somebody has to wait for it. */
function assertAttached({ subject, detach }: RunRequest): void {
  if (detach !== true) return;
  throw new ContainerError('BAD_VALUE', `${subject}: only in a container that runs a command can be left alone`, {
    hint: `"systemctl start" starts the service; without --detach the command runs beside it`,
    subject,
  });
}

/** An installed container is as it was installed. @throws ContainerError BAD_VALUE */
function assertNothingSet({ subject, setValues, permissions }: RunRequest): void {
  if (setValues.size === 0 && permissions.length === 0) return;
  const what = setValues.size > 0 ? 'values' : 'permissions';
  throw new ContainerError('BAD_VALUE', `cannot set ${what} for an existing container`, {
    hint: `"update" changes those of ${subject}`,
    subject,
  });
}

async function isActive({ services, signal }: Host, name: string): Promise<boolean> {
  return ['active', 'reloading'].includes(await services.activeState(name, signal));
}

async function execute(host: Host, { name, info }: Deployment, request: RunRequest): Promise<number> {
  const { command, detach = false, runtimePath } = request;
  const tty = request.tty && !detach;
  const runtime = host.runtime(info.runtime || runtimePath());
  const temporary = makeTemporaryDirectory(host.places.state);
  try {
    return await withPidFile(temporary.path, (pidFile) =>
      runtime.exec(name, command, { tty, detach, pidFile }, host.signal),
    );
  } finally {
    temporary.remove();
  }
}

function runInstalled(host: Host, deployment: Deployment, request: RunRequest): Promise<number> {
  const { path, name, info } = deployment;
  return runInBundle(host, {
    ...request,
    above: host.places.state,
    deployment: path,
    rootfs: rootfsOf(deployment),
    fragment: `${path}/tmpfiles-${name}.conf`,
    runtime: info.runtime || request.runtimePath(),
  });
}
