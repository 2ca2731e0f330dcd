/** Paths that end up in units, in JSON and in command lines, where nothing is escaped (systemd would expand a `%`). */
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';

/**
 * @param what it is, for the message: `the runtime`
 * @throws ContainerError BAD_CONTAINER_PATH unless it is absolute and of the characters that need no escape
 */
export function assertPlainPath(path: string, what: string): void {
  if (/^\/[A-Za-z0-9._/+,@:-]*$/.test(path) && !path.split('/').includes('..')) return;
  throw new ContainerError('BAD_CONTAINER_PATH', `${what}: ${quote(path)} cannot be used in units and configurations`, {
    hint: 'it must be absolute, of letters, digits and the characters . _ / + , @ : -',
    subject: path,
  });
}
