import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { codeOf } from '../base/error.ts';
import { captureOutput } from '../linux/processes/capture-output.ts';
import { CompressionError } from './error.ts';

/** What is kept of its messages, in bytes. */
const MESSAGE_LIMIT = 4096;

/**
 * One .xz stream with CRC64, as OSTree's delta parts are, made by the `xz` program. Preset 0 to 9.
 * @throws CompressionError NO_XZ, COMPRESSION_FAILED; what the signal was aborted with
 */
export async function compressXz(bytes: Uint8Array, preset: number, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const { spawn } = await import('node:child_process');
  const args = ['--compress', '--stdout', '--quiet', '--format=xz', '--check=crc64', '--threads=1', `-${preset}`];
  // It would obey XZ_OPT and XZ_DEFAULTS, which must not decide what goes into a delta.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' };
  const child = spawn('xz', args, { env, stdio: 'pipe' });
  const abort = () => child.kill('SIGKILL');
  signal.addEventListener('abort', abort);
  try {
    return await outputOf(child, bytes);
  } catch (error) {
    signal.throwIfAborted(); // it is why xz was killed
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function outputOf(child: ChildProcessWithoutNullStreams, input: Uint8Array): Promise<Uint8Array> {
  const output: Uint8Array[] = [];
  child.stdout.on('data', (chunk: Uint8Array) => output.push(chunk));
  const messages = captureOutput(child.stderr, MESSAGE_LIMIT);
  child.stdin.on('error', () => undefined); // it need not read what it fails on: its status tells
  child.stdin.end(input);
  const status = await exitOf(child);
  if (status !== 0) {
    const why = messages.text().trim() || `it ended with ${child.signalCode ?? `status ${status}`}`;
    throw new CompressionError('COMPRESSION_FAILED', `xz: ${why}`);
  }
  return Buffer.concat(output);
}

function exitOf(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', (cause) => {
      const missing = codeOf(cause) === 'ENOENT';
      const details = { cause, hint: missing ? 'install xz-utils' : undefined, subject: 'xz' };
      reject(
        missing
          ? new CompressionError('NO_XZ', 'xz: no such program', details)
          : new CompressionError('COMPRESSION_FAILED', 'xz: cannot be run', details),
      );
    });
  });
}
