/** What an administrator finds in the journal by `MESSAGE_ID`, whatever the texts say: docs/os-containers/update.md. */
import { CodedError, codeOf, explain } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { sendToJournal } from '../../systemd/index.ts';
import type { Deployment } from '../deployment/index.ts';
import type { Host } from '../host.ts';

/** Fixed for ever. */
export const MESSAGE_ID = {
  /** A container is there that was not there before. */
  installed: '8c67879fb86d4b8ab29080a366470098',
  /** Another deployment is active, and its service runs if it ran before. */
  updated: '5385b46818d64a409f421d2b6e1c4b6a',
  /** A new deployment did not start or did not stay healthy; the earlier one is active again. */
  unhealthy: '1fa841a857f94029bc8332ebc15b252a',
  /** Signature, policy, digest, or what an image must not do on the host: nothing was taken. */
  refused: '08517084812c4020afa17a44f95b94d4',
  /** An administrator went back to an earlier deployment. */
  rolledBack: '736d13246c8a464cae431600731c15b0',
  uninstalled: 'dff2f296e36653449c84b19a83b118df',
} as const;

export type EventKind = Exclude<keyof typeof MESSAGE_ID, 'unhealthy' | 'refused'>;

export interface ContainerEvent {
  readonly kind: EventKind;
  readonly name: string;
  /** What is active now; of `uninstalled` what was. */
  readonly deployment: Deployment | undefined;
  /** What was active before. */
  readonly previous?: Deployment | undefined;
}

type EventHost = Pick<Host, 'places' | 'signal'>;

const NOTICE = '5';
const ERROR = '3';

/** @returns whether the journal has it; a host whose root is mounted somewhere has a journal of its own */
export async function recordEvent(host: EventHost, program: string, event: ContainerEvent): Promise<boolean> {
  const { kind, name, deployment, previous } = event;
  return send(host, program, {
    MESSAGE: `${name}: ${words(event)}`,
    MESSAGE_ID: MESSAGE_ID[kind],
    PRIORITY: NOTICE,
    OS_CONTAINERS_NAME: name,
    ...(deployment === undefined ? {} : { OS_CONTAINERS_IMAGE: printable(deployment.info.image) }),
    ...revision('OS_CONTAINERS_DIGEST', deployment),
    ...revision('OS_CONTAINERS_PREVIOUS_DIGEST', previous),
  });
}

/**
 * @param isRefusal it was a matter of trust; other failures have entries only when a service did not start
 * @returns whether the journal has it
 */
export async function recordFailure(
  host: EventHost,
  program: string,
  { name, error, isRefusal }: { readonly name: string; readonly error: unknown; readonly isRefusal: boolean },
): Promise<boolean> {
  const code = codeOf(error) ?? 'UNEXPECTED';
  const kind = code === 'SERVICE_DID_NOT_START' ? 'unhealthy' : isRefusal ? 'refused' : undefined;
  if (kind === undefined) return false;
  const advice = error instanceof CodedError && error.hint !== undefined ? `\n${error.hint}` : '';
  return send(host, program, {
    MESSAGE: `${name}: ${printable(explain(error))}${advice}`,
    MESSAGE_ID: MESSAGE_ID[kind],
    PRIORITY: ERROR,
    OS_CONTAINERS_NAME: name,
    OS_CONTAINERS_CODE: code,
  });
}

function words({ kind, deployment, previous }: ContainerEvent): string {
  const now = shortOf(deployment);
  const before = previous === undefined ? '' : ` from ${shortOf(previous)}`;
  if (kind === 'uninstalled') return 'uninstalled';
  if (kind === 'rolledBack') return `rolled back to ${now}${before}`;
  return `${kind === 'installed' ? 'installed' : 'updated to'} ${now}${before}`;
}

function shortOf(deployment: Deployment | undefined): string {
  if (deployment === undefined) return 'an unknown deployment';
  const { image, revision: digest } = deployment.info;
  return printable(digest === '' ? image : `${image} (${digest.slice(0, 12)})`);
}

function revision(field: string, deployment: Deployment | undefined): Readonly<Record<string, string>> {
  const digest = deployment?.info.revision ?? '';
  return digest === '' ? {} : { [field]: `sha256:${digest}` };
}

async function send(
  { places, signal }: EventHost,
  program: string,
  fields: Readonly<Record<string, string>>,
): Promise<boolean> {
  if (places.root !== '') return false;
  return sendToJournal({ ...fields, SYSLOG_IDENTIFIER: program }, signal);
}
