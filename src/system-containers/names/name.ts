/** They end up in unit names, paths, quoted `ExecStart` lines and as runtime ids: a small alphabet, and a limit. */
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';

/** A unit name has at most 255 characters, and ours is not all of it. */
const LONGEST = 200;

export function isContainerName(name: string): boolean {
  return name.length <= LONGEST && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name);
}

/** @throws ContainerError BAD_CONTAINER_NAME */
export function assertContainerName(name: string): void {
  if (isContainerName(name)) return;
  throw new ContainerError('BAD_CONTAINER_NAME', `${quote(name)} is no name for a container`, {
    hint: `letters, digits, "_", "." and "-" are allowed, at most ${LONGEST}, the first a letter or a digit`,
    subject: name,
  });
}
