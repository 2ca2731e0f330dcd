/** Whose certificates are believed, and which one we show: read once, for the first https URL. */
import { existsSync, readFileSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { HttpError } from '../error.ts';
import type { ResolvedSettings } from '../settings.ts';

/** Debian, Fedora, openSUSE, and what the others link to. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** One context for all connections: parsing the system's bundle again for each would cost about 10 ms every time. */
export async function loadTrust(settings: ResolvedSettings): Promise<SecureContext> {
  const { createSecureContext } = await import('node:tls');
  const { certFile, keyFile } = settings;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new HttpError('HTTP_TLS', 'a client certificate needs its key, and a key its certificate');
  }
  const ca = await authorities(settings);
  try {
    return createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(certFile === undefined || keyFile === undefined ? {} : { cert: readPem(certFile), key: readPem(keyFile) }),
    });
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    throw new HttpError('HTTP_TLS', 'the certificates and keys to use with https', { cause });
  }
}

async function authorities({ caFile, moreAuthorities, env }: ResolvedSettings): Promise<string[] | undefined> {
  const file = caFile ?? (env['SSL_CERT_FILE'] || SYSTEM_BUNDLES.find((bundle) => existsSync(bundle)));
  if (file === undefined && moreAuthorities.length === 0) return undefined; // then those that Node brings along
  const first = file === undefined ? (await import('node:tls')).rootCertificates : [readCertificates(file)];
  return [...first, ...moreAuthorities.map(readCertificates)];
}

/** Without this check a wrong file would just trust nobody. */
function readCertificates(file: string): string {
  const pem = readPem(file);
  if (pem.includes('-----BEGIN ')) return pem;
  throw new HttpError('HTTP_TLS', `${file}: no certificate in it`, { subject: file });
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (cause) {
    throw new HttpError('HTTP_TLS', `reading ${file}`, { cause, subject: file });
  }
}
