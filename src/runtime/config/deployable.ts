import { posix } from 'node:path';
import { quote } from '../../base/text.ts';
import { ConfigError, RuntimeError } from '../error.ts';
import type { RuntimeConfig } from './config.ts';

/**
 * Files of `rootfs` are hard links into the repository, so nothing may write to them; and a service has no terminal.
 * @param rootfs path of an external root file system; left out: `rootfs` in the bundle
 * @throws RuntimeError WRITABLE_ROOT, BAD_CONTAINER_CONFIG
 */
export function assertDeployable(config: RuntimeConfig, rootfs = 'rootfs'): void {
  const { file, root, process } = config;
  if (!root.readonly) {
    throw new RuntimeError('WRITABLE_ROOT', `${file}: expected root.readonly true, found false`, {
      hint: 'files of the root file system are shared with the repository: mount what the service writes to',
      subject: file,
    });
  }
  if (posix.normalize(root.path).replace(/\/$/, '') !== rootfs) {
    const found = `${file}: expected root.path ${quote(rootfs)}, found ${quote(root.path)}`;
    throw new RuntimeError('WRITABLE_ROOT', found, { subject: file });
  }
  if (process?.terminal) {
    throw new ConfigError(`${file}: expected process.terminal false, found true: a service has no terminal`, {
      subject: file,
    });
  }
  if (process === undefined || process.args.length === 0) {
    throw new ConfigError(`${file}: expected a command in process.args, found none`, { subject: file });
  }
}
