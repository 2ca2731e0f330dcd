/** `policy.json`: what images have to be signed by whom. Source: containers-policy.json(5). */
import { printable } from '../../base/text.ts';
import { ImagesError } from '../error.ts';
import { JsonFlaw, parseStrictJson, readMembers } from '../signatures/strict-json.ts';
import { type Requirement, readRequirement } from './requirement.ts';
import { scopeFlaw } from './scopes.ts';

/** Never empty: a file cannot say "nothing is required" by leaving something out. */
export type Requirements = readonly [Requirement, ...Requirement[]];

export interface Policy {
  readonly default: Requirements;
  /** By transport and scope; the scope '' is the transport's own default. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, Requirements>>;
}

const POLICY_LIMIT = 4 * 2 ** 20;

/** Whatever is unknown, twice there or of a wrong type makes the whole file invalid. @throws ImagesError BAD_POLICY */
export function parsePolicy(bytes: Uint8Array, path: string): Policy {
  try {
    if (bytes.length > POLICY_LIMIT) throw new JsonFlaw(`larger than the limit of ${POLICY_LIMIT} bytes`);
    return readPolicy(parseStrictJson(bytes));
  } catch (error) {
    if (!(error instanceof JsonFlaw)) throw error;
    throw new ImagesError('BAD_POLICY', `${printable(path)}: ${printable(error.message)}`, { subject: path });
  }
}

function readPolicy(value: unknown): Policy {
  const root = readMembers(value, 'policy', ['default'], ['transports']);
  return {
    default: readRequirements(root['default'], 'default'),
    transports: mapOf(Object.hasOwn(root, 'transports') ? root['transports'] : {}, 'transports', (scopes, transport) =>
      mapOf(scopes, `transports.${transport}`, (list, scope) => {
        const flaw = scopeFlaw(transport, scope);
        if (flaw !== undefined) throw new JsonFlaw(`transports.${transport}: scope ${JSON.stringify(scope)} ${flaw}`);
        return readRequirements(list, `transports.${transport}.${JSON.stringify(scope)}`);
      }),
    ),
  };
}

function mapOf<T>(value: unknown, what: string, read: (value: unknown, key: string) => T): ReadonlyMap<string, T> {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  const object = readMembers(value, what, [], names);
  return new Map(Object.entries(object).map(([key, element]) => [key, read(element, key)]));
}

function readRequirements(value: unknown, what: string): Requirements {
  if (!Array.isArray(value)) throw new JsonFlaw(`${what}: expected a list of requirements`);
  const [first, ...rest] = value.map((element, i) => readRequirement(element, `${what}[${i}]`));
  if (first === undefined) throw new JsonFlaw(`${what}: the list of requirements is empty`);
  return [first, ...rest];
}
