/** The files of a deployment, written into the directory that it is prepared in. */
import fs from 'node:fs';
import { join } from 'node:path';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { syncFileSystem } from '../../linux/files/flush.ts';
import { writeAll } from '../../linux/files/write.ts';
import type { Repository } from '../../ostree/index.ts';
import { formatConfig } from '../../runtime/index.ts';
import type { Host } from '../host.ts';
import { checkOutRoot } from './check-out.ts';
import type { Rendered } from './render.ts';
import type { DeploymentRequest, DeploymentSource } from './request.ts';
import type { OpenSource } from './source.ts';

/** Containers with user namespaces, and services under other users, go through it to `rootfs`. */
const SLOT_MODE = 0o711;

export interface Filling {
  readonly checkouts: Directory;
  readonly temporary: string;
  readonly source: OpenSource;
  readonly request: DeploymentRequest & DeploymentSource;
  readonly rendered: Rendered;
}

/** All but `info`, and durable. */
export async function fill(host: Host, repository: Repository | undefined, filling: Filling): Promise<void> {
  const { checkouts, temporary, source, request, rendered } = filling;
  const { name } = request;
  naming(checkouts.pathOf(temporary), () => fs.mkdirSync(checkouts.at(temporary), SLOT_MODE));
  const directory = checkouts.openDirectory(temporary);
  if (directory === undefined) throw new Error('unreachable: a directory that was just made');
  try {
    naming(directory.path, () => fs.fchmodSync(directory.fd, SLOT_MODE)); // whatever the umask says
    if (repository !== undefined && source.commit !== undefined) {
      await checkOutRoot(host, repository, source.commit, join(directory.path, 'rootfs'));
    }
    const { config, unit, fragment } = rendered;
    writeFiles(directory, [
      { name: 'config.json', bytes: config && formatConfig(config), mode: 0o600 },
      { name: `${name}.service`, bytes: unit, mode: 0o644 },
      { name: `tmpfiles-${name}.conf`, bytes: fragment, mode: 0o644 },
    ]);
    // One barrier for the links and these files.
    syncFileSystem(directory);
  } finally {
    directory.close();
  }
}

interface NewFile {
  readonly name: string;
  /** Undefined: there shall be no such file. */
  readonly bytes: Uint8Array | undefined;
  readonly mode: number;
}

function writeFiles(directory: Directory, files: readonly NewFile[]): void {
  const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL;
  for (const { name, bytes, mode } of files) {
    if (bytes === undefined) continue;
    const fd = directory.openFile(name, flags, 0o600);
    try {
      naming(directory.pathOf(name), () => {
        writeAll(fd, bytes);
        fs.fchmodSync(fd, mode);
      });
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** More of them, durable before the directory gets its place. */
export function writeInto(parent: Directory, name: string, files: readonly NewFile[]): void {
  const directory = parent.openDirectory(name);
  if (directory === undefined) throw new Error(`unreachable: ${parent.pathOf(name)} was taken away under our lock`);
  try {
    for (const file of files) directory.unlink(file.name);
    writeFiles(directory, files);
    for (const file of files) syncFile(directory, file.name);
    directory.sync();
  } finally {
    directory.close();
  }
}

function syncFile(directory: Directory, name: string): void {
  const fd = directory.openFile(name, fs.constants.O_RDONLY);
  try {
    naming(directory.pathOf(name), () => fs.fsyncSync(fd));
  } finally {
    fs.closeSync(fd);
  }
}
