/** How images are reached, from the words of the user. */
import { CodedError } from '../../base/error.ts';
import type { ImagesSettings } from '../../images/index.ts';
import { readFileBounded } from '../../linux/files/read.ts';
import { UsageError } from '../arguments.ts';
import type { Context } from '../program.ts';
import { httpSettings, type LockValues, lockWait } from '../shared-options.ts';
import { packageVersion } from '../version.ts';
import type { PlaceValues, RegistriesValues } from './registry-options.ts';

/** A name and a password, or a passphrase, in the first line. */
const SECRET_LIMIT = 64 * 1024;

/** @throws UsageError */
export function imagesSettings(
  values: RegistriesValues & LockValues,
  place: PlaceValues,
  context: Context,
): ImagesSettings {
  const { output } = context;
  const onNote = (text: string): void => output.info(text);
  const { timeoutMs, onWait } = lockWait(values, context, 'image');
  return {
    http: {
      ...httpSettings(values, `tako/${packageVersion()}`, onNote),
      retries: values.retryTimes ?? values.retry,
    },
    authFile: place.authfile,
    credentials: readCredentials(place),
    anonymous: place.isAnonymous,
    certDir: place.certDir,
    tlsVerify: place.tlsVerify,
    registriesConf: values.registriesConf,
    registriesD: values['registries.d'],
    lockTimeoutMs: timeoutMs,
    onWait,
    onNote,
    env: process.env,
    uid: process.getuid?.() ?? 0,
  };
}

/** What is wrong with them is not shown. */
function readCredentials({ creds, credsFile, authfile, isAnonymous }: PlaceValues): ImagesSettings['credentials'] {
  const ways = [creds, credsFile, authfile].filter((value) => value !== undefined).length + (isAnonymous ? 1 : 0);
  if (ways > 1) throw new UsageError('--creds, --creds-file, --no-creds and --authfile exclude each other');
  if (creds !== undefined) {
    const pair = splitPair(creds);
    if (pair !== undefined) return pair;
    throw new UsageError('--creds: expected NAME:PASSWORD', 'a file is safer: --creds-file FILE');
  }
  if (credsFile === undefined) return undefined;
  const pair = splitPair(readSecretLine(credsFile));
  if (pair !== undefined) return pair;
  throw new CodedError('BAD_CREDENTIALS_FILE', `${credsFile}: expected NAME:PASSWORD in the first line`, {
    subject: credsFile,
  });
}

function splitPair(text: string): ImagesSettings['credentials'] {
  const colon = text.indexOf(':');
  const [username, password] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  return colon < 0 || username === '' || password === '' ? undefined : { kind: 'basic', username, password };
}

/** Without its end of line. */
export function readSecretLine(path: string): string {
  const { bytes } = readFileBounded(path, SECRET_LIMIT);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').split(/\r?\n/)[0] ?? '';
}
