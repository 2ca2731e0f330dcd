/** `--set NAME=VALUE`. */
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';
import { isVariableName } from '../template/index.ts';

/** What describes the installation itself: nobody but us gives these a value. */
export const FORCED: readonly string[] = [
  'DESTDIR',
  'EXEC_START',
  'EXEC_STARTPRE',
  'EXEC_STOP',
  'EXEC_STOPPOST',
  'HOST_GID',
  'HOST_UID',
  'IMAGE_ID',
  'IMAGE_NAME',
  'NAME',
];

export function isForced(name: string): boolean {
  return FORCED.includes(name);
}

/**
 * The words after `--set`, split at their first `=`; of a name that comes twice the last value counts.
 * @throws ContainerError BAD_VALUE, FORCED_VARIABLE
 */
export function parseSettings(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(words.map(parseSetting));
}

function parseSetting(word: string): readonly [name: string, value: string] {
  const split = word.indexOf('=');
  const name = word.slice(0, Math.max(split, 0));
  if (!isVariableName(name)) {
    const hint = 'write --set NAME=VALUE; a name has letters, digits and "_", and does not begin with a digit';
    const shown = split === -1 ? word : `${name}=...`; // the value may be a secret
    const isPlain = /^[!-~]{1,80}$/.test(shown);
    throw new ContainerError('BAD_VALUE', `invalid argument ${isPlain ? shown : quote(shown)}`, { hint });
  }
  if (!isForced(name)) return [name, word.slice(split + 1)];
  throw new ContainerError('FORCED_VARIABLE', `the variable ${name} cannot be set: the installation gives its value`, {
    subject: name,
  });
}
