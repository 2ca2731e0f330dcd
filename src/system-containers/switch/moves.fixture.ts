/** An application in two versions, what is done with it, and what is to be seen of the host afterwards. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { activeOf, openContainer, rollbackTarget } from '../deployment/index.ts';
import { type Switched, switchDeployment, withContainer } from './index.ts';
import { type Machine, prepared, type Version } from './machine.fixture.ts';

export const ONE: Version = {
  version: 'one',
  files: { 'etc/app/app.conf': 'one\n', 'usr/local/bin/ctl': 'same\n', 'etc/app/old': 'old\n' },
  fragment: 'd /run/app\n',
};
export const TWO: Version = {
  version: 'two',
  files: { 'etc/app/app.conf': 'two\n', 'usr/local/bin/ctl': 'same\n', 'etc/app/new': 'new\n' },
  fragment: 'd /run/app2\n',
};

export function install(machine: Machine, version: Version): Promise<Switched> {
  return withContainer(machine.host, 'app', (lock) =>
    switchDeployment(machine.host, lock, {
      ...{ operation: 'install', name: 'app', from: undefined, slot: 0, graceMs: 0 },
      to: prepared(machine, 'app', 0, version),
    }),
  );
}

export function update(machine: Machine, version: Version): Promise<Switched> {
  return withContainer(machine.host, 'app', (lock) => {
    const from = activeOf(openContainer(machine.places, 'app'));
    const slot = from.slot === 0 ? 1 : 0;
    const to = prepared(machine, 'app', slot, version);
    return switchDeployment(machine.host, lock, { operation: 'update', name: 'app', from, to, slot, graceMs: 0 });
  });
}

export function goBack(machine: Machine): Promise<Switched> {
  return withContainer(machine.host, 'app', (lock) => {
    const container = openContainer(machine.places, 'app');
    const to = rollbackTarget(container);
    assert.ok(to);
    const from = activeOf(container);
    return switchDeployment(machine.host, lock, {
      ...{ operation: 'rollback', name: 'app', from, to, slot: to.slot, graceMs: 0 },
    });
  });
}

export function start({ units }: Machine): void {
  units.active.set('app', 'active');
}

/** Everything that a user can see of the host, path by path; not the locks and what is to be swept. */
export function snapshot({ root, units }: Pick<Machine, 'root' | 'units'>): Readonly<Record<string, string>> {
  const found: Record<string, string> = {
    enabled: [...units.enabled].join(),
    active: [...units.active].map((pair) => pair.join('=')).join(),
  };
  const walk = (path: string): void => {
    for (const name of fs.readdirSync(join(root, path)).sort()) {
      const at = `${path}/${name}`;
      const stats = fs.lstatSync(join(root, at));
      if (name.endsWith('.lock') || /^\..*\.tmp-/.test(name)) continue;
      const mode = (stats.mode & 0o7777).toString(8);
      if (stats.isDirectory() && name !== '.state') found[at] = `directory ${mode}`;
      if (stats.isDirectory()) walk(at);
      else if (stats.isSymbolicLink()) found[at] = `-> ${fs.readlinkSync(join(root, at))}`;
      else found[at] = `${mode} ${fs.readFileSync(join(root, at), 'utf8')}`;
    }
  };
  walk('');
  return found;
}

/** Without what an installation leaves on purpose: directories that systemd looks into, and our own. */
export function visible(found: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(found).filter(
      ([path]) =>
        !/^\/(var|var\/lib|var\/lib\/containers|var\/lib\/containers\/atomic|etc\/systemd|etc\/systemd\/system|etc\/tmpfiles.d)$/.test(
          path,
        ) && !path.endsWith('/info'),
    ),
  );
}

/** Without deployments. */
export function outside(found: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(visible(found)).filter(([path]) => !path.includes('/atomic/app.')));
}

export function leftovers({ places }: Machine): string[] {
  const names = [...fs.readdirSync(places.checkouts), ...fs.readdirSync(places.state)];
  return names.filter((name) => /tmp|journal|displaced|link$/.test(name));
}
