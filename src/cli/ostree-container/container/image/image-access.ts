/** Images for commands that bring them into a repository: whose credentials, and whom to trust. */
import type { Command } from 'commander';
import type { Images, Policy } from '../../../../images/index.ts';
import type { OstreeReference, StorePrepareOptions } from '../../../../ostree-container/index.ts';
import { describeSignature } from '../../../images/policy.ts';
import { imagesSettings } from '../../../images/settings.ts';
import type { ImagesDoor } from '../../../images/with-images.ts';
import type { Context } from '../../../program.ts';
import { type LockValues, type TransferValues, transferOptions } from '../../../shared-options.ts';

export interface AccessValues extends TransferValues {
  readonly authfile?: string;
  readonly authAnonymous?: true;
  readonly certDir?: string;
  readonly insecureSkipTlsVerification?: true;
  readonly registriesConf?: string;
  readonly policy?: string;
  readonly platform?: string;
}

/** Names as the established tools have them. */
export function accessOptions(shape: Command): Command {
  return transferOptions(shape)
    .option('--authfile <file>', 'credentials are in this file, and in no other')
    .option('--auth-anonymous', 'use no credentials')
    .option('--cert-dir <directory>', '*.crt, *.cert and *.key in here, instead of certs.d')
    .option('--insecure-skip-tls-verification', 'take any certificate, and HTTP without TLS')
    .option('--registries-conf <file>', 'this file instead of registries.conf of the user or the system')
    .option('--policy <file>', 'this policy.json instead of that of the user or the system');
}

/** @throws UsageError */
export function openAccess(module: ImagesDoor, values: AccessValues & LockValues, context: Context): Images {
  const place = {
    authfile: values.authfile,
    creds: undefined,
    credsFile: undefined,
    isAnonymous: values.authAnonymous === true,
    certDir: values.certDir,
    tlsVerify: values.insecureSkipTlsVerification === true ? false : undefined,
  };
  return module.openImages({ ...imagesSettings(values, place, context), credentialsOrder: 'ostree' });
}

/** What every command needs that brings an image into a repository. @throws UsageError, CodedError BAD_OSTREE_REFERENCE */
export async function openTransfer(text: string, values: AccessValues & LockValues, context: Context) {
  const [module, oci, container] = await Promise.all([
    import('../../../../images/index.ts'),
    import('../../../../oci/index.ts'),
    import('../../../../ostree-container/index.ts'),
  ]);
  const reference = container.parseOstreeReference(text);
  return {
    reference,
    images: openAccess(module, values, context),
    admit: admissionFor(module, values, reference, context),
    platform: values.platform === undefined ? oci.hostPlatform() : oci.parsePlatform(values.platform),
    onProgress: context.progress.emit,
    signal: context.signal,
  };
}

/** What policy.json says; and for `ostree-image-signed:` that a signature was verified. @throws ImagesError BAD_POLICY */
function admissionFor(
  { findPolicy, admitImage, ImagesError }: ImagesDoor,
  { policy }: AccessValues,
  { trust }: OstreeReference,
  { output }: Context,
): StorePrepareOptions['admit'] {
  const found = findPolicy({ policyFile: policy, caller: { env: process.env, uid: process.getuid?.() ?? 0 } });
  return async (source, raw, signal) => {
    if (trust.kind === 'image' && found !== undefined && acceptsAnything(found.policy)) {
      throw new ImagesError('POLICY_REJECTED', 'ostree-image-signed: the default of the policy accepts any image', {
        hint: 'make the default "reject", and write down who signs which images',
      });
    }
    // Otherwise the reference itself says that the way here vouches for nothing: the commit's signature does, or nobody.
    const isSigned = trust.kind === 'image';
    const context = { now: new Date(), requireSignature: isSigned, mayBeUnverified: !isSigned };
    const { signatures } = await admitImage(found?.policy, source, raw, context, signal);
    for (const each of signatures) output.info(describeSignature(each));
  };
}

/** As a default this lets everything through that a narrower scope forgets. */
function acceptsAnything({ default: [first, ...more] }: Policy): boolean {
  return first.type === 'insecureAcceptAnything' && more.length === 0;
}
