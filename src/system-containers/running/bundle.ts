/** A command in a container of its own, beside the service: a bundle for the moment around the deployment's files. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { printable } from '../../base/text.ts';
import { readFileBounded } from '../../linux/files/read.ts';
import { changeConfig, formatConfig, parseRuntimeConfig, type RuntimeConfig } from '../../runtime/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { makeBindSources } from './bind-sources.ts';
import { withPidFile } from './started.ts';
import { makeTemporaryDirectory } from './temporary-directory.ts';

export interface BundleRequest {
  readonly command: readonly string[];
  readonly tty: boolean;
  /** Where the bundle is made. */
  readonly above: string;
  /** Directory with the `config.json`. */
  readonly deployment: string;
  readonly rootfs: string;
  /** For systemd-tmpfiles; there may be none. */
  readonly fragment: string;
  readonly runtime: string;
}

const CONFIG_LIMIT = 2 ** 24;

/** @returns the exit status @throws ContainerError CONTAINER_BROKEN without a configuration */
export async function runInBundle(host: Host, request: BundleRequest): Promise<number> {
  const config = readConfig(join(request.deployment, 'config.json'));
  if (fs.existsSync(request.fragment)) await host.tmpfiles.create(request.fragment, host.signal);
  makeBindSources(host.places, config.bindSources);
  const bundle = makeTemporaryDirectory(request.above);
  try {
    const changed = changeConfig(config, {
      args: request.command,
      terminal: request.tty,
      rootPath: request.rootfs,
      isApart: true,
    });
    fs.writeFileSync(join(bundle.path, 'config.json'), formatConfig(changed), { mode: 0o600 });
    return await run(host, request.runtime, bundle.path);
  } finally {
    bundle.remove();
  }
}

/** Its own id: the service may start meanwhile. */
async function run(host: Host, runtimePath: string, bundle: string): Promise<number> {
  const runtime = host.runtime(runtimePath);
  const id = `os-containers-${randomBytes(6).toString('hex')}`;
  try {
    return await withPidFile(bundle, (pidFile) => runtime.run(id, bundle, { pidFile }, host.signal));
  } finally {
    // After a signal something may be left; that signal shall not keep it from being taken away.
    if (host.signal.aborted) await runtime.deleteForce(id, new AbortController().signal);
  }
}

function readConfig(path: string): RuntimeConfig {
  if (fs.existsSync(path)) return parseRuntimeConfig(readFileBounded(path, CONFIG_LIMIT).bytes, path);
  throw new ContainerError('CONTAINER_BROKEN', `${printable(path)}: there is no configuration to run a command with`, {
    subject: path,
  });
}
