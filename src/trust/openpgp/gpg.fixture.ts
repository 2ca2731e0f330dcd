/** GnuPG in a home of its own, for tests: makes keys and signatures, and gives its verdict on them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GpgRun {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface GpgOptions {
  readonly input?: Uint8Array | string;
  /** `20200101T000000`: the clock stands still there. */
  readonly at?: string;
}

export interface GpgHome {
  readonly dir: string;
  /** @throws Error when gpg fails */
  gpg(args: readonly string[], options?: GpgOptions): Buffer;
  run(args: readonly string[], options?: GpgOptions): GpgRun;
  /** A new key without passphrase that can sign; its fingerprint. */
  makeKey(name: string, algorithm: string, expire?: string, at?: string): string;
  /** A signing subkey; its fingerprint. */
  addSubkey(fingerprint: string, algorithm: string, expire?: string, at?: string): string;
  sign(data: Uint8Array, keyId: string, extra?: readonly string[], at?: string): Buffer;
  /** Answers to the questions of `--edit-key`, one a line. */
  edit(fingerprint: string, answers: readonly string[]): void;
  revoke(fingerprint: string): void;
  publicKeys(...fingerprints: readonly string[]): Buffer;
  secretKeys(...fingerprints: readonly string[]): Buffer;
  /** Lines of `--status-fd`: the keyword of each signature's verdict. */
  verdicts(data: Uint8Array, signature: Uint8Array): readonly string[];
}

/** What gpg says once for each signature. */
const VERDICTS = new Set(['GOODSIG', 'BADSIG', 'EXPSIG', 'EXPKEYSIG', 'REVKEYSIG', 'ERRSIG']);

/** The path is short because the agent's socket lies in it, and a socket's name has 108 bytes. */
export function gpgHome(test: { after(fn: () => void): void }): GpgHome {
  const dir = mkdtempSync('/tmp/tg-');
  test.after(() => {
    spawnSync('gpgconf', ['--homedir', dir, '--kill', 'all']);
    rmSync(dir, { recursive: true, force: true });
  });
  return home(dir);
}

function home(dir: string): GpgHome {
  const run = (args: readonly string[], { input, at }: GpgOptions = {}): GpgRun => {
    const fixed = ['--homedir', dir, '--no-tty', '--yes', '--pinentry-mode', 'loopback', '--passphrase', ''];
    const clock = at === undefined ? [] : ['--faked-system-time', `${at}!`];
    const ran = spawnSync('gpg', [...fixed, ...clock, ...args], {
      input: input ?? '',
      env: { ...process.env, LC_ALL: 'C' },
    });
    return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr.toString() };
  };
  const gpg = (args: readonly string[], options?: GpgOptions): Buffer => {
    const ran = run(args, options);
    if (ran.status !== 0) throw new Error(`gpg ${args.join(' ')}: ${ran.stderr}`);
    return ran.stdout;
  };
  const fingerprints = (name: string): string[] =>
    gpg(['--with-colons', '--with-subkey-fingerprint', '--list-keys', name])
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('fpr:'))
      .map((line) => line.split(':')[9] ?? '');
  return {
    dir,
    run,
    gpg,
    makeKey(name, algorithm, expire = 'never', at) {
      gpg(['--batch', '--quick-generate-key', name, algorithm, 'sign,cert', expire], at === undefined ? {} : { at });
      return fingerprints(`=${name}`)[0] ?? '';
    },
    addSubkey(fingerprint, algorithm, expire = 'never', at) {
      gpg(['--batch', '--quick-add-key', fingerprint, algorithm, 'sign', expire], at === undefined ? {} : { at });
      return fingerprints(fingerprint).at(-1) ?? '';
    },
    sign(data, keyId, extra = [], at) {
      const args = ['--batch', '--local-user', keyId, ...extra, '--output', '-', '--detach-sign'];
      return gpg(args, at === undefined ? { input: data } : { input: data, at });
    },
    edit(fingerprint, answers) {
      gpg(['--command-fd', '0', '--edit-key', fingerprint], { input: `${answers.join('\n')}\n` });
    },
    revoke(fingerprint) {
      const certificate = readFileSync(join(dir, 'openpgp-revocs.d', `${fingerprint}.rev`), 'latin1');
      gpg(['--batch', '--import'], { input: certificate.replace(':-----BEGIN', '-----BEGIN') });
    },
    publicKeys: (...names) => gpg(['--batch', '--export', ...names]),
    secretKeys: (...names) => gpg(['--batch', '--export-secret-keys', ...names]),
    verdicts(data, signature) {
      writeFileSync(join(dir, 'data'), data);
      writeFileSync(join(dir, 'data.sig'), signature);
      const args = ['--batch', '--status-fd', '1', '--verify', join(dir, 'data.sig'), join(dir, 'data')];
      const words = run(args)
        .stdout.toString()
        .split('\n')
        .map((line) => line.split(' ')[1] ?? '');
      return words.filter((word) => VERDICTS.has(word));
    },
  };
}
