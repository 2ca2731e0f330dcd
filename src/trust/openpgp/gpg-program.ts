/** Signing with keys that only the `gpg` program can reach: in its agent, on a smart card. */
import { CodedError, codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { runProgram } from '../../linux/processes/spawn.ts';
import { readArmor } from './armor.ts';

/** A signature is some hundred bytes long, what gpg has to say about it some lines. */
const OUTPUT_LIMIT = 64 * 1024;

export interface GpgOptions {
  /** What `--local-user` takes. */
  readonly keyId: string;
  readonly homedir?: string;
  readonly signal: AbortSignal;
}

/** See `gpgProgramSigner`. */
export async function signByGpg(data: Uint8Array, { keyId, homedir, signal }: GpgOptions): Promise<Uint8Array> {
  const home = homedir === undefined ? [] : ['--homedir', homedir];
  // Armored, because output is captured as text.
  const args = [...home, '--batch', '--no-tty', '--armor', '--local-user', keyId, '--output', '-', '--detach-sign'];
  const result = await runProgram('gpg', args, { input: data, outputLimit: OUTPUT_LIMIT, signal }).catch(
    explainMissing,
  );
  const [block] = readArmor(Buffer.from(result.stdout, 'latin1'));
  if (result.status === 0 && block?.label === 'PGP SIGNATURE' && block.bytes !== undefined) return block.bytes;
  throw new CodedError('GPG_FAILED', `gpg: ${said(result.stderr) || `status ${result.status ?? result.signal}`}`, {
    hint: `see whether "${['gpg', ...home, '--list-secret-keys'].join(' ')}" shows the key ${printable(keyId)}`,
    subject: keyId,
  });
}

/** All lines in one, without the program's name before each. */
function said(stderr: string): string {
  const lines = stderr.split('\n').map((line) => printable(line.replace(/^gpg: /, '').trim()));
  return lines.filter((line) => line !== '').join('; ');
}

function explainMissing(cause: unknown): never {
  if (codeOf(cause) !== 'PROGRAM_MISSING') throw cause;
  throw new CodedError('NO_GPG', 'gpg: no such program', {
    cause,
    hint: 'install GnuPG, or sign with a secret key from a file, which needs no gpg',
  });
}
