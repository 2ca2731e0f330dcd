/** Certificates for one registry: `certs.d/HOST[:PORT]/*.{crt,cert,key}`. Source: containers-certs.d(5). */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { ImagesError } from '../error.ts';
import { type Caller, configHome, systemPath } from '../host-files/caller.ts';

export interface RegistryCertificates {
  readonly directory: string;
  /** Authorities (PEM), to be trusted as well as those of the system. */
  readonly caFiles: readonly string[];
  /** Ours, with its key, where the registry wants one. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** The first of these that has a folder for the registry is the only one that counts. */
export function certificateFolders(caller: Caller): readonly string[] {
  return [
    join(configHome(caller), 'containers', 'certs.d'),
    systemPath(caller, '/etc/containers/certs.d'),
    systemPath(caller, '/etc/docker/certs.d'),
  ];
}

/**
 * @param host with its port, as in a reference: `quay.io`, `localhost:5000`
 * @throws ImagesError BAD_REGISTRIES_CONF when one half of a client certificate is missing
 */
export function findCertificates(host: string, folders: readonly string[]): RegistryCertificates | undefined {
  if (host === '' || host.startsWith('.') || /[/\0]/.test(host)) return undefined; // no folder of that name is meant
  for (const folder of folders) {
    const found = certificatesIn(join(folder, host));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of `--cert-dir`, too. Undefined when there is no such folder, or none that we may look into. */
export function certificatesIn(directory: string): RegistryCertificates | undefined {
  const names = list(directory);
  if (names === undefined) return undefined;
  const path = (name: string): string => join(directory, name);
  const [cert, key] = clientNames(names, directory);
  return {
    directory,
    caFiles: names.filter((name) => name.endsWith('.crt')).map(path),
    ...(cert !== undefined && key !== undefined && { certFile: path(cert), keyFile: path(key) }),
  };
}

/** Halves that belong together have one name; of several pairs the first is shown. */
function clientNames(names: readonly string[], directory: string): readonly string[] {
  const pairs: string[][] = [];
  for (const name of names) {
    const other = name.endsWith('.cert') ? `${name.slice(0, -5)}.key` : `${name.slice(0, -4)}.cert`;
    if (!/\.(cert|key)$/.test(name)) continue;
    if (!names.includes(other)) {
      throw new ImagesError(
        'BAD_REGISTRIES_CONF',
        `${printable(join(directory, name))}: ${other} is missing beside it`,
        {
          subject: join(directory, name),
          hint: 'authorities end in .crt, client certificates in .cert, their keys in .key',
        },
      );
    }
    if (name.endsWith('.cert')) pairs.push([name, other]);
  }
  return pairs[0] ?? [];
}

function list(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined;
    throw error;
  }
}
