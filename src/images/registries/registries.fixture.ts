import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { loadRegistriesConf, type RegistriesSearch } from './load.ts';

export const SYSTEM = 'root/etc/containers/registries.conf';
export const SYSTEM_DROP_INS = 'root/etc/containers/registries.conf.d';
export const USER = 'home/.config/containers/registries.conf';
export const USER_DROP_INS = 'home/.config/containers/registries.conf.d';

/** A system and a user, with these files of theirs. */
export function host(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const dir = scratch(t);
  const write = (name: string, text: string): string => {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o644);
    return path;
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const env = { HOME: join(dir, 'home') };
  const search: RegistriesSearch = { env, uid: 1000, root: join(dir, 'root') };
  const load = (more: Partial<RegistriesSearch> = {}) => loadRegistriesConf({ ...search, ...more });
  return { dir, env, write, load, search };
}

export function loaded(t: TestContext, text: string) {
  return host(t, { [SYSTEM]: text }).load();
}
