import { Command } from 'commander';
import { codeOf } from '../../../base/error.ts';
import type { IdentityMatch, ImageName, ImageSource, Policy, PolicyVerdict } from '../../../images/index.ts';
import { readFileBounded } from '../../../linux/files/read.ts';
import { hostPlatform, parseNamed, parsePlatform, type RawManifest } from '../../../oci/index.ts';
import { UsageError } from '../../arguments.ts';
import { describeSignature, signatureDocument } from '../../images/policy.ts';
import type { RegistriesValues } from '../../images/registry-options.ts';
import { imageCommand, type WithImages, withSource } from '../../images/with-images.ts';
import { repeatable } from '../../repeatable.ts';

const SCHEMA = 'ostree-container.image-verify/1';
/** The keyring of a distribution. */
const KEY_LIMIT = 64 * 2 ** 20;

interface Values extends RegistriesValues {
  readonly policy?: string;
  readonly key?: readonly string[];
  readonly gpgKeyring?: readonly string[];
  readonly identity?: string;
  readonly requireSignature?: true;
  readonly platform?: string;
  readonly all?: true;
}

export function verifyCommand(): Command {
  const shape = new Command('verify')
    .description(
      'Say who has signed an image, or refuse it: by the policy of the system, or by keys. Of an index the image for ' +
        'this machine is looked at; with keys a signature of the index will do as well.',
    )
    .argument('<name>', 'image with its transport')
    .option('--policy <file>', 'this policy.json instead of that of the user or the system')
    .addOption(repeatable('--key <file>', 'public key of cosign; a signature by any of them will do'))
    .addOption(repeatable('--gpg-keyring <file>', 'OpenPGP keys; a simple signature by any of them will do'))
    .option('--identity <reference>', 'with keys: the repository that was signed (default: that of the image)')
    .option('--require-signature', 'refuse an image without a verified signature, whatever the policy accepts')
    .option('--platform <os/arch[/variant]>', 'the image of an index that is for this platform')
    .option('-a, --all', 'the index itself');
  const examples = [
    'ostree-container image verify docker://registry.example.com/os:stable',
    'ostree-container image verify --key cosign.pub docker://registry.example.com/os:stable',
  ];
  return imageCommand<Values>(shape, examples, async (values, name, context) => {
    const policy = readPolicy(values, name, context);
    await withSource(context, name, async (source) => {
      const { verdict, raw } = await judge(policy, values, source, context);
      tell(verdict, raw, context);
    });
    return 0;
  });
}

interface Judged {
  readonly verdict: PolicyVerdict;
  readonly raw: RawManifest;
}

/** @throws ImagesError with status 3 for what is not accepted */
async function judge(
  policy: Policy | undefined,
  values: Values,
  source: ImageSource,
  { module, signal }: WithImages,
): Promise<Judged> {
  if (values.all === true && values.platform !== undefined) {
    throw new UsageError('--all and --platform exclude each other');
  }
  const platform = values.platform === undefined ? hostPlatform() : parsePlatform(values.platform);
  const top = await source.readManifest(undefined, signal);
  const raw = values.all === true ? top : (await module.chooseImage(source, top, platform, signal)).raw;
  const context = { now: new Date(), requireSignature: values.requireSignature === true };
  const judgeOne = async (each: RawManifest): Promise<Judged> => ({
    verdict: await module.admitImage(policy, source, each, context, signal),
    raw: each,
  });
  try {
    return await judgeOne(raw);
  } catch (error) {
    const isUnsigned = codeOf(error) === 'SIGNATURE_MISSING' || codeOf(error) === 'SIGNATURE_INVALID';
    if (!isUnsigned || raw.digest === top.digest || !isByKeys(values)) throw error;
    return judgeOne(top).catch(() => {
      throw error;
    });
  }
}

function isByKeys({ key, gpgKeyring }: Values): boolean {
  return key !== undefined || gpgKeyring !== undefined;
}

/** Keys are a policy of their own, for every image. */
function readPolicy(values: Values, { transport }: ImageName, { module }: WithImages): Policy | undefined {
  const { policy, key = [], gpgKeyring = [], identity } = values;
  if (!isByKeys(values)) {
    if (identity !== undefined) throw new UsageError('--identity needs --key or --gpg-keyring');
    return module.findPolicy({ policyFile: policy, caller: { env: process.env, uid: process.getuid?.() ?? 0 } })
      ?.policy;
  }
  if (policy !== undefined) throw new UsageError('--policy excludes --key and --gpg-keyring');
  if (identity === undefined && transport !== 'docker' && transport !== 'containers-storage') {
    throw new UsageError('--identity is needed: only images in registries have a name of their own');
  }
  const signedIdentity: IdentityMatch =
    identity === undefined
      ? { type: 'matchRepository' }
      : { type: 'exactRepository', repository: parseNamed(identity) };
  const read = (path: string) => ({ data: readFileBounded(path, KEY_LIMIT).bytes });
  const demand = (type: 'sigstoreSigned' | 'signedBy', files: readonly string[]) =>
    files.length === 0 ? [] : [{ type, keys: files.map(read), signedIdentity }];
  const [first, ...more] = [...demand('sigstoreSigned', key), ...demand('signedBy', gpgKeyring)];
  if (first === undefined) throw new Error('unreachable: neither kind of key');
  return { default: [first, ...more], transports: new Map() };
}

function tell({ decision, scope, requirements, signatures }: PolicyVerdict, raw: RawManifest, context: WithImages) {
  const { output } = context;
  for (const each of signatures) output.result(`${raw.digest}: ${describeSignature(each)}`);
  if (signatures.length === 0) {
    output.result(
      `${raw.digest}: ${decision === 'no-policy' ? 'there is no policy.json' : `accepted without a signature by policy ${scope}`}`,
    );
  }
  output.document(SCHEMA, {
    digest: raw.digest,
    mediaType: raw.mediaType,
    scope: scope ?? null,
    requirements,
    signatures: signatures.map(signatureDocument),
  });
}
