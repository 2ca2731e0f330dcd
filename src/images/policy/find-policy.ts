/** Which policy file counts. */
import { join } from 'node:path';
import { printable } from '../../base/text.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import { ImagesError } from '../error.ts';
import { type Caller, homeOf, systemPath } from '../host-files/caller.ts';
import { readOptionalFile } from '../host-files/optional-file.ts';
import { type Policy, parsePolicy } from './policy-file.ts';

export interface PolicySearch {
  /** Of `--policy`; it must exist. */
  readonly policyFile?: string | undefined;
  /** Of the program's settings; it must exist, too. */
  readonly settingsFile?: string | undefined;
  readonly caller: Caller;
}

export interface FoundPolicy {
  readonly path: string;
  readonly policy: Policy;
}

const POLICY_LIMIT = 4 * 2 ** 20;

/**
 * The first of: what was named, that of the user unless it is root, that of the system. Undefined when there is none.
 * @throws ImagesError BAD_POLICY; CodedError UNSAFE_OWNER, TOO_LARGE
 */
export function findPolicy({ policyFile, settingsFile, caller }: PolicySearch): FoundPolicy | undefined {
  const named = policyFile ?? settingsFile;
  if (named !== undefined) {
    const found = read(named);
    if (found !== undefined) return found;
    throw new ImagesError('BAD_POLICY', `${printable(named)}: no such file`, { subject: named });
  }
  const own = caller.uid === 0 ? undefined : read(join(homeOf(caller), '.config/containers/policy.json'));
  return own ?? read(systemPath(caller, '/etc/containers/policy.json'));
}

function read(path: string): FoundPolicy | undefined {
  const file = readOptionalFile(path, POLICY_LIMIT);
  if (file === undefined) return undefined;
  assertSafeOwner(file.stats, { path }); // who may write it decides what is trusted
  return { path, policy: parsePolicy(file.bytes, path) };
}
