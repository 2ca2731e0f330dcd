/**
 * What the tests of `tako` on a booted systemd share. Such a file is loaded twice: on the host it boots one machine by
 * `describeMachine`, and every scenario is a test with the machine's verdict; in the machine, where INSIDE is true, it
 * runs the scenarios by `runScenarios`. `App` and all that follows it are for the machine.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveDirectory } from '../demo/static-server.ts';
import { bootMachine, copyRoot, type MachineFile } from '../support/machine.ts';
import { attempt, type Outcome, report, sh, waitFor } from '../support/machine-agent.ts';
import { needs } from '../support/needs.ts';
import { CHECKOUT } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import { ALICE, type Images, publish, put } from './support.ts';

/** By title; each with an application of its own, for they share a boot. */
export type Scenarios = Readonly<Record<string, () => Promise<void>>>;

/** This process runs in the machine. */
export const INSIDE = process.env['TAKO_TEST_INSIDE'] === 'yes';
const PASSED = 'passed';

export interface MachineSuite {
  readonly title: string;
  /** `import.meta.url` of the test file, which the machine loads again. */
  readonly module: string;
  readonly files: Readonly<Record<string, MachineFile>>;
  /** All that are run, in whichever boot. */
  readonly scenarios: Scenarios;
  /** Folders of the host for the machine, made when it is about to boot, below the directory given. */
  readonly binds?: ((scratch: string) => Promise<Readonly<Record<string, string>>>) | undefined;
}

/** On the host: boot the machine, and make a test of every scenario. */
export function describeMachine({ title, module, files, scenarios, binds }: MachineSuite): void {
  describe(title, { skip: needs('machine') }, () => {
    const dir = makeScratch();
    after(() => removeTree(dir));
    let verdicts: Readonly<Record<string, unknown>> = {};
    before(async () => {
      const inside = `/t/dist/test/e2e/${basename(module)}`;
      const script = `process.env.TAKO_TEST_INSIDE = 'yes'; await import('${inside}');`;
      const root = await copyRoot(dir);
      const bound = await binds?.(dir);
      ({ report: verdicts } = await bootMachine({ root, files, script, binds: bound, timeoutMs: 240_000 }));
    });
    for (const name of Object.keys(scenarios)) {
      it(name, (t) => {
        const found = verdicts[name] as { verdict: string; seconds: number } | undefined;
        if (found === undefined) throw new Error('in the machine: was not run');
        const { verdict, seconds } = found;
        t.diagnostic(`${seconds.toFixed(1)} s in the machine`);
        if (verdict !== PASSED) throw new Error(`in the machine: ${verdict}`);
      });
    }
  });
}

/** In the machine: run scenarios in their order, so many at a time, and report each verdict. */
export async function runScenarios(scenarios: Scenarios, atOnce = 1): Promise<void> {
  // The machine's end interrupts nobody: what `scratch.ts` does at a SIGTERM is for the host.
  process.removeAllListeners('SIGTERM');
  const queue = Object.entries(scenarios);
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, scenario] = next;
      const began = performance.now();
      const verdict = await scenario().then(
        () => PASSED,
        (error: unknown) => `${error instanceof Error ? error.stack : error}\n${tail()}`,
      );
      report({ [name]: { verdict, seconds: (performance.now() - began) / 1000 } });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** What the programs said last, for a failure that needs an explanation. */
function tail(): string {
  return transcript(journal('SYSLOG_IDENTIFIER=tako', '+', 'SYSLOG_IDENTIFIER=os-containers').slice(-10));
}

/** Files of the machine: the built program as `/usr/bin/tako`, and these of the shipped units as they are. */
export function installed(...units: readonly string[]): Readonly<Record<string, MachineFile>> {
  return {
    '/usr/bin/tako': { content: '#!/bin/sh\nexec /usr/bin/node /t/dist/src/cli/tako/main.js "$@"\n', mode: 0o755 },
    ...Object.fromEntries(
      units.map((name) => [`/etc/systemd/system/${name}`, readFileSync(join(CHECKOUT, 'systemd', name))]),
    ),
  };
}

/** An application of the machine: a publisher, and a configuration. */
export interface App {
  /** Its configuration. */
  readonly config: string;
  readonly destination: string;
  publish(images: Images): void;
  /** Write the configuration anew, with these further lines. */
  configure(...lines: readonly string[]): void;
  /** Run `tako fetch` and say how it ended. */
  fetch(options?: string): Promise<Outcome>;
  /** The same, and insist on success. */
  fetched(options?: string): Promise<Outcome>;
  /** Run the shipped service. @returns the status of `tako` in it */
  service(): Promise<number>;
  /** The version that runs at this moment, said by the application itself. */
  running(): Promise<string>;
  status(): Promise<Record<string, unknown>>;
  /** What `tako` has written to the journal from the shipped service. */
  said(): readonly Entry[];
}

/** Alice publishes, any 1.* is taken; the images say in /run/NAME.beat that they run. Its unit is the caller's. */
export async function newApp(name: string, ...lines: readonly string[]): Promise<App> {
  const [server, destination, config] = [`/srv/${name}`, `/var/lib/images/${name}`, `/etc/tako/${name}`];
  for (const dir of [server, destination, '/etc/tako']) mkdirSync(dir, { recursive: true });
  const { url } = await serveDirectory(server);
  const configure = (...more: readonly string[]): void => {
    const all = [
      `Origin=${url}`,
      `PublicKey=${ALICE.publicText}`,
      'Version=1.*',
      `Destination=${destination}`,
      ...more,
    ];
    put(config, `${all.join('\n')}\n`);
  };
  configure(...lines);
  const fetch = (options = ''): Promise<Outcome> => attempt(`tako fetch ${options} ${config}`);
  return {
    config,
    destination,
    configure,
    publish: (images) => void publish(server, images),
    fetch,
    fetched: async (options) => succeeded(await fetch(options)),
    service: () => startService(`tako@${name}.service`),
    running: () => beat(`/run/${name}.beat`),
    status: async () => onlyResult(await sh(`tako status --json ${config}`)),
    said: () => journal(`_SYSTEMD_UNIT=tako@${name}.service`, 'SYSLOG_IDENTIFIER=tako'),
  };
}

export function succeeded(ended: Outcome): Outcome {
  assert.equal(ended.status, 0, ended.stderr);
  return ended;
}

/** The one result in a document of `--json`. */
export function onlyResult(document: string): Record<string, unknown> {
  const { results } = JSON.parse(document) as { readonly results: readonly Record<string, unknown>[] };
  assert.equal(results.length, 1);
  return results[0] ?? {};
}

/** What was said before does not count: the file is removed, and has to be there again. */
export async function beat(file: string): Promise<string> {
  rmSync(file, { force: true });
  return waitFor(file, () => readMaybe(file)?.trim() || undefined);
}

export function readMaybe(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not there yet, or not any more
  }
}

/** Of the journal, by the names of its fields. */
export type Entry = Readonly<Record<string, unknown>>;

/** Entries of the journal, oldest first. */
export function journal(...matches: readonly string[]): readonly Entry[] {
  execFileSync('journalctl', ['--sync']);
  // Without --all a field of 4096 bytes or more comes as null.
  const text = execFileSync('journalctl', ['--quiet', '--output=json', '--all', ...matches], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);
}

export function messages(entries: readonly Entry[]): readonly string[] {
  return entries.map((entry) => String(entry['MESSAGE']));
}

/** The messages in one text, a line or more each. */
export function transcript(entries: readonly Entry[]): string {
  return messages(entries).join('\n');
}

/** A property of a unit, as `systemctl show` prints it. */
export async function property(unit: string, name: string): Promise<string> {
  return sh(`systemctl show --property=${name} --value '${unit}'`);
}

/** Start a shipped service by hand. @returns the status of `tako` in it */
export async function startService(unit: string): Promise<number> {
  const { status } = await attempt(`systemctl start ${unit}`);
  return status === 0 ? 0 : Number(await property(unit, 'ExecMainStatus'));
}
