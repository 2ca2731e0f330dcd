/**
 * `systemctl`, `systemd-tmpfiles` and an OCI runtime that only write down how they were called, in a directory for
 * the front of PATH. What they are asked about is kept in files, so that enable, start and stop mean something.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FakeSystemd {
  /** To be put in front of PATH. */
  readonly bin: string;
  /** What a program under test has to have: the programs of a copy write where they were copied to. */
  readonly env: Readonly<Record<string, string>>;
  /** The fake runtime, for `--runtime`. */
  readonly runtime: string;
  /** One line for each call so far, `systemctl enable etcd`; those that only ask are left out. */
  calls(): readonly string[];
  /** The same with the questions. */
  everything(): readonly string[];
  forget(): void;
  /** Calls with exactly these words fail from now on: `systemctl start etcd`. */
  fail(...lines: readonly string[]): void;
  /** Only the next call with these words does. */
  failOnce(line: string): void;
  /** Starts of this unit succeed, and a moment later it is found failed. */
  failLater(unit: string): void;
  mend(): void;
  isActive(unit: string): boolean;
  isEnabled(unit: string): boolean;
  /** As an administrator would have done it, without a call. */
  set(unit: string, state: { readonly active?: boolean; readonly enabled?: boolean }): void;
}

/** @param directory an empty one, or one of an earlier `fakeSystemd`, which goes on */
export function fakeSystemd(directory: string): FakeSystemd {
  const bin = join(directory, 'bin');
  const state = join(directory, 'state');
  const log = join(directory, 'calls');
  for (const each of [bin, state]) mkdirSync(each, { recursive: true });
  const write = (name: string, text: string): string => {
    const file = join(bin, name);
    if (!existsSync(file)) writeFileSync(file, text);
    chmodSync(file, 0o755);
    return file;
  };
  write('systemctl', systemctlScript(directory));
  write('systemd-tmpfiles', plainScript(directory, 'systemd-tmpfiles'));
  const runtime = write('runc', runtimeScript(directory));
  const everything = (): readonly string[] =>
    existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : [];
  const flag = (unit: string, what: string): string => join(state, `${unit}.${what}`);
  const mark = (file: string, on: boolean): void => (on ? writeFileSync(file, '') : rmSync(file, { force: true }));
  return {
    bin,
    env: { FAKE_SYSTEMD: directory, PATH: `${bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}` },
    runtime,
    everything,
    calls: () => everything().filter((line) => !/ (is-active|is-enabled|show|--version|--help|spec)\b/.test(line)),
    forget: () => rmSync(log, { force: true }),
    fail: (...lines) => writeFileSync(join(directory, 'fail'), `${lines.join('\n')}\n`),
    failOnce: (line) => writeFileSync(join(directory, 'fail-once'), `${line}\n`),
    failLater: (unit) => mark(flag(unit, 'dies'), true),
    mend() {
      for (const name of ['fail', 'fail-once']) rmSync(join(directory, name), { force: true });
    },
    isActive: (unit) => existsSync(flag(unit, 'active')),
    isEnabled: (unit) => existsSync(flag(unit, 'enabled')),
    set(unit, { active, enabled }) {
      if (active !== undefined) mark(flag(unit, 'active'), active);
      if (enabled !== undefined) mark(flag(unit, 'enabled'), enabled);
    },
  };
}

/** Writes the call down, and fails when it is one of those that shall. */
const head = (directory: string, name: string): string => `#!/bin/sh
here=\${FAKE_SYSTEMD:-${directory}}
line="${name}\${*:+ $*}"
printf '%s\\n' "$line" >>"$here/calls"
if [ -e "$here/fail" ] && grep -qxF -e "$line" "$here/fail"; then
  echo "$line: made to fail" >&2
  exit 1
fi
if [ -e "$here/fail-once" ] && grep -qxF -e "$line" "$here/fail-once"; then
  rm "$here/fail-once"
  echo "$line: made to fail once" >&2
  exit 1
fi
`;

function plainScript(directory: string, name: string): string {
  return `${head(directory, name)}exit 0\n`;
}

/** `dying`: the first question after a start still finds the unit active, the next ones find it failed. */
function systemctlScript(directory: string): string {
  return `${head(directory, 'systemctl')}
now=
while :; do
  case $1 in
    --user|--quiet|-q|--no-pager|--root=*) shift ;;
    --now) now=1; shift ;;
    *) break ;;
  esac
done
word=$1
[ $# -gt 0 ] && shift
for each; do unit=$each; done
unit=\${unit%.service}
s="$here/state/$unit"
case $word in
  enable) : >"$s.enabled" ;;
  disable) rm -f "$s.enabled"; [ -z "$now" ] || rm -f "$s.active" "$s.failed" ;;
  start|restart) rm -f "$s.failed"; : >"$s.active"; [ ! -e "$s.dies" ] || mv "$s.dies" "$s.dying" ;;
  stop) rm -f "$s.active" ;;
  reset-failed) rm -f "$s.failed" ;;
  is-active)
    if [ -e "$s.active" ] && [ -e "$s.dying" ]; then
      if [ -e "$s.asked" ]; then rm -f "$s.active" "$s.dying" "$s.asked"; : >"$s.failed"; else : >"$s.asked"; fi
    fi
    if [ -e "$s.active" ]; then echo active; exit 0; fi
    if [ -e "$s.failed" ]; then echo failed; else echo inactive; fi
    exit 3 ;;
  is-failed) [ -e "$s.failed" ] && { echo failed; exit 0; }; echo inactive; exit 1 ;;
  is-enabled) if [ -e "$s.enabled" ]; then echo enabled; exit 0; fi; echo disabled; exit 1 ;;
esac
exit 0
`;
}

/** `spec` writes what the real one writes, as far as anybody looks at it. */
function runtimeScript(directory: string): string {
  return `${head(directory, 'runc')}
case " $* " in
  *' spec '*)
    bundle=.
    while [ $# -gt 0 ]; do case $1 in --bundle|-b) bundle=$2; shift ;; esac; shift; done
    cat >"$bundle/config.json" <<'END'
{"ociVersion":"1.0.2","process":{"terminal":true,"user":{"uid":0,"gid":0},"args":["sh"],"env":["PATH=/usr/bin:/bin"],
"cwd":"/"},"root":{"path":"rootfs","readonly":true},"hostname":"runc","mounts":[{"destination":"/proc","type":"proc",
"source":"proc"}],"linux":{"namespaces":[{"type":"pid"},{"type":"mount"}]}}
END
    ;;
  *' --help '*|*' -h '*) echo '   --systemd-cgroup  --pid-file value' ;;
  *' --version '*) echo 'runc version 1.1.5' ;;
esac
exit 0
`;
}
