/** A private certificate authority, and what it has signed, made anew by openssl for every test run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** All are paths of PEM files. */
export interface Certificates {
  readonly dir: string;
  readonly ca: string;
  /** For `localhost`, 127.0.0.1 and ::1. */
  readonly serverCert: string;
  readonly serverKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** Signed for another name than the one the server is reached by. */
  readonly wrongNameCert: string;
  readonly wrongNameKey: string;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'tako-certificates-'));
  const path = (name: string): string => join(dir, name);
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Test authority');

  const sign = (name: string, extension: string): void => {
    writeFileSync(path(`${name}.ext`), extension);
    openssl('req', '-new', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...authority,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    );
  };
  sign('server', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nextendedKeyUsage=serverAuth\n');
  sign('client', 'extendedKeyUsage=clientAuth\n');
  sign('wrong-name', 'subjectAltName=DNS:elsewhere.test\nextendedKeyUsage=serverAuth\n');

  return {
    dir,
    ca: path('ca.crt'),
    serverCert: path('server.crt'),
    serverKey: path('server.key'),
    clientCert: path('client.crt'),
    clientKey: path('client.key'),
    wrongNameCert: path('wrong-name.crt'),
    wrongNameKey: path('wrong-name.key'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
