/** The value of ALL_PROCESS_CAPABILITIES. */
import { readFileSync } from 'node:fs';
import { decodeDecimal } from '../../base/decode.ts';

/** By their numbers (linux/capability.h). */
const NAMES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE';
const CAPABILITIES: readonly string[] = NAMES.split(' ').map((name) => `CAP_${name}`);

const LAST = '/proc/sys/kernel/cap_last_cap';

/**
 * Every capability that the kernel has and we know by name, ready to stand between the brackets of a JSON list: quoted,
 * one a line, with commas between them.
 * @param last number of the last one; default: what the running kernel says
 */
export function allCapabilities(last: number = lastCapability()): string {
  const known = CAPABILITIES.slice(0, last + 1);
  return `${known.map((name) => `"${name}"`).join(',\n')}\n`;
}

function lastCapability(): number {
  return decodeDecimal(readFileSync(LAST, 'latin1').trim()) ?? CAPABILITIES.length - 1;
}
