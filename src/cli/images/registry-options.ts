/** Options of everything that may talk to a registry. */
import { type Command, InvalidArgumentError } from 'commander';
import { type TransferValues, transferOptions } from '../shared-options.ts';
import { REFUSED_EVERYWHERE, refusedOfSide, refuseOptions } from './refused-options.ts';

/** Which of the two places of a copy an option is about; none for commands with one place. */
export type Side = '' | 'src-' | 'dest-';

/** What was said about one place. */
export interface PlaceValues {
  readonly authfile: string | undefined;
  readonly creds: string | undefined;
  readonly credsFile: string | undefined;
  readonly isAnonymous: boolean;
  readonly certDir: string | undefined;
  readonly tlsVerify: boolean | undefined;
}

export interface RegistriesValues extends TransferValues {
  readonly registriesConf?: string;
  readonly 'registries.d'?: string;
  readonly retryTimes?: number;
}

const SUBJECTS: Readonly<Record<Side, string>> = { '': '', 'src-': 'of the source: ', 'dest-': 'of the destination: ' };

/** Names as skopeo has them, except for `--creds-file`. */
export function placeOptions(command: Command, side: Side = ''): Command {
  const subject = SUBJECTS[side];
  command
    .option(`--${side}authfile <file>`, `${subject}look for credentials in this file first`)
    .option(`--${side}creds <name:password>`, `${subject}credentials (other users can see them)`)
    .option(`--${side}creds-file <file>`, `${subject}NAME:PASSWORD is the first line of this file`)
    .option(`--${side}no-creds`, `${subject}use no credentials`)
    .option(`--${side}cert-dir <directory>`, `${subject}*.crt, *.cert and *.key in here, instead of certs.d`)
    .option(
      `--${side}tls-verify <true|false>`,
      `${subject}false: take any certificate, and HTTP without TLS (default: as registries.conf says)`,
      readBoolean,
    );
  return refuseOptions(command, refusedOfSide(side));
}

/** Once, also where there are two sides. */
export function registriesOptions(command: Command): Command {
  const shape = transferOptions(command)
    .option('--registries-conf <file>', 'this file instead of registries.conf of the user or the system')
    .option('--registries.d <directory>', 'where simple signatures are kept, instead of the files of user or system')
    .option('--retry-times <times>', 'the same as --retry', readCount);
  return refuseOptions(shape, REFUSED_EVERYWHERE);
}

/** @param values of commander, which takes `--no-creds` for the negation of `--creds` */
export function placeValues(values: object, side: Side = ''): PlaceValues {
  const given = new Map(Object.entries(values) as [string, unknown][]);
  const of = (name: string): unknown => given.get(camelCase(`${side}${name}`));
  const text = (name: string): string | undefined => {
    const value = of(name);
    return typeof value === 'string' ? value : undefined;
  };
  const verify = of('tls-verify');
  return {
    authfile: text('authfile'),
    creds: text('creds'),
    credsFile: text('creds-file'),
    isAnonymous: of('creds') === false || of('no-creds') === true,
    certDir: text('cert-dir'),
    tlsVerify: typeof verify === 'boolean' ? verify : undefined,
  };
}

function camelCase(words: string): string {
  return words.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function readBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('Expected true or false, as in --tls-verify=false.');
}

function readCount(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
