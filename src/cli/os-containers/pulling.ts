/** How commands pull: their options, and what the library needs to know from them. */
import type { Command } from 'commander';
import type { ProgressEvent } from '../../base/progress.ts';
import type { Images } from '../../images/index.ts';
import type { PullPort, PullRequest } from '../../system-containers/index.ts';
import { UsageError } from '../arguments.ts';
import { imagesSettings } from '../images/settings.ts';
import type { ProgressMode } from '../progress.ts';
import { type TransferValues, transferOptions } from '../shared-options.ts';
import type { HostContext, HostValues } from './with-host.ts';

export interface PullingValues {
  readonly insecure?: true;
  readonly srcCreds?: string;
  readonly authfile?: string;
  readonly policy?: string;
  readonly requireSignature?: true;
}

/** What `pull` alone has beside those. */
export interface AccessValues extends TransferValues {
  readonly certDir?: string;
  readonly registriesConf?: string;
  readonly platform?: string;
}

/** Of commands that may pull an image before they go on. */
export function pullingOptions(command: Command, when = 'when pulling: '): Command {
  return command
    .option('--insecure', `${when}take any certificate, and HTTP without TLS`)
    .option('--src-creds <name:password>', `${when}credentials (other users can see them)`)
    .option('--authfile <file>', `${when}look for credentials in this file first`)
    .option('--policy <file>', `${when}this policy.json instead of that of the settings, user or system`)
    .option('--require-signature', `${when}refuse an image without a verified signature`);
}

export function accessOptions(command: Command): Command {
  return transferOptions(command)
    .option('--cert-dir <directory>', '*.crt, *.cert and *.key in here, instead of certs.d')
    .option('--registries-conf <file>', 'this file instead of registries.conf of the user or the system')
    .option('--platform <os/arch[/variant]>', 'the image of an index that is for this platform');
}

type Wanted = Pick<PullRequest, 'reference' | 'name' | 'tagVersion' | 'floor'>;

/** Images and policy for one command; both are looked at when something is pulled. */
export class Pulling {
  readonly #values: PullingValues & AccessValues & HostValues & { readonly progress?: ProgressMode };
  readonly #context: HostContext;
  #images: Images | undefined;

  constructor(values: PullingValues & AccessValues & HostValues, context: HostContext) {
    this.#values = values;
    this.#context = context;
  }

  /** @throws UsageError; ImagesError BAD_POLICY; OciError for what is no platform */
  async request(wanted: Wanted): Promise<PullRequest> {
    const { host, settings } = this.#context;
    const { platform, policy, requireSignature, insecure } = this.#values;
    const { openImages, findPolicy } = await import('../../images/index.ts');
    const { hostPlatform, parsePlatform } = await import('../../oci/index.ts');
    this.#images ??= openImages(imagesSettings(this.#values, placeOf(this.#values), this.#context));
    const caller = { env: host.env, uid: host.places.uid };
    // The settings of another root speak of that root: docs/decisions/0050.
    const policyThere = settings.policy === undefined ? undefined : `${host.places.root}${settings.policy}`;
    return {
      ...wanted,
      images: this.#images,
      platform: platform === undefined ? hostPlatform() : parsePlatform(platform),
      policy: findPolicy({ policyFile: policy, settingsFile: policyThere, caller }),
      requireSignature: requireSignature ?? settings.requireSignature ?? false,
      insecure: insecure === true,
      access: host.places.scope === 'user' ? 'user' : undefined,
      progress: this.#progress(),
      signal: host.signal,
      timeoutMs: host.lockTimeoutMs,
    };
  }

  async close(): Promise<void> {
    await this.#images?.close();
  }

  /** Steps as people know them from the earlier tools, without a date; as JSON they are events like all others. */
  #progress(): PullRequest['progress'] {
    const { output, progress } = this.#context;
    const mode = this.#values.progress ?? 'auto';
    if (mode === 'json') return progress.emit;
    return (event: ProgressEvent) => {
      if (event.kind === 'note' && STEP.test(event.text)) {
        if (mode !== 'none') output.plain(event.text);
      } else if (event.kind === 'end')
        progress.emit({ ...event, ok: false }); // no line of its own: the steps tell
      else progress.emit(event);
    };
  }
}

const STEP = /^(?:Getting image source signatures|Copying (?:blob|config) |Writing manifest|Storing signatures)/;

/** @param work gets the way to pull; connections are closed when it ends */
export async function withPulling<T>(
  values: PullingValues & HostValues,
  context: HostContext,
  work: (pull: PullPort) => Promise<T>,
): Promise<T> {
  const pulling = new Pulling(values, context);
  const pull: PullPort = async (wanted) => {
    const { containers, openRepository } = context;
    return (await containers.pullImage(openRepository(true), await pulling.request(wanted))).image;
  };
  try {
    return await work(pull);
  } finally {
    await pulling.close();
  }
}

/** @throws UsageError */
function placeOf({ authfile, srcCreds, insecure, certDir }: PullingValues & AccessValues) {
  if (srcCreds !== undefined && !/^[^:]+:./s.test(srcCreds)) {
    throw new UsageError('--src-creds: expected NAME:PASSWORD', 'a file is safer: --authfile FILE');
  }
  if (srcCreds !== undefined && authfile !== undefined) {
    throw new UsageError('--src-creds and --authfile exclude each other');
  }
  return {
    ...{ authfile, creds: srcCreds, credsFile: undefined, isAnonymous: false, certDir },
    tlsVerify: insecure === true ? false : undefined,
  };
}
