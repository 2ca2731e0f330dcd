/** Configurations on the disk: who may have written one, and where they are looked for. */
import * as fs from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import { readFileBounded, type SmallFile } from '../../linux/files/read.ts';
import { TakoError } from '../error.ts';
import { CONFIG_LIMIT, type Config, parseConfig } from './config.ts';

/**
 * Read a configuration. What it says happens with the caller's rights, so nobody else may be able to write it; with
 * a password in it, nobody else may read it.
 * @throws TakoError as `parseConfig`, NO_CONFIG; CodedError UNSAFE_OWNER, UNSAFE_LINK
 */
export function loadConfig(path: string): Config {
  const { bytes, stats } = readConfig(path);
  assertSafeOwner(stats, { path });
  const config = parseConfig(bytes, path);
  if (config.secret.password) assertSafeOwner(stats, { path, readableMatters: true });
  return config;
}

function readConfig(path: string): SmallFile {
  try {
    return readFileBounded(path, CONFIG_LIMIT);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new TakoError('NO_CONFIG', `${path}: no such configuration`, { subject: path });
  }
}

/** Where configurations live when none is named: the system's for root, the user's own for others. */
export function configDirectory(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): string {
  if (uid === 0) return '/etc/tako';
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'tako');
}

/** Left behind by editors and package managers. */
const NOT_MEANT = /^\.|~$|\.(bak|new)$|\.(dpkg-|rpm)[^.]*$/;

/** All configurations of a directory, in the order of their names; none when there is no such directory. */
export function listConfigs(directory: string): string[] {
  let entries: fs.Dirent[];
  try {
    entries = fs.readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && !NOT_MEANT.test(entry.name))
    .map((entry) => join(directory, entry.name))
    .sort();
}
