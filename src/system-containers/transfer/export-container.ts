/** A container into one file: the images of its slots, and what was said when it was installed. */
import { quote } from '../../base/text.ts';
import {
  type ArchiveWriter,
  type Digest,
  OciError,
  parseNamed,
  repositoryName,
  writeOciArchive,
} from '../../oci/index.ts';
import { lockForReading, type Repository } from '../../ostree/index.ts';
import { readExports } from '../contract/index.ts';
import { activeOf, type Deployment, directoryTree, encodeInfo, type Info, openContainer } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { imageOfDeployment, type StoredImage } from '../storage/index.ts';
import { userSetValues } from '../variables/index.ts';
import { DOCUMENT_NAME, type ExportedSlot, encodeExport } from './document.ts';
import { ImagePacker } from './rebuilt-image.ts';

export interface ExportRequest {
  readonly name: string;
  /** Written as a whole or not at all; replaced when it is there. */
  readonly file: string;
  /** Also the deployments that a rollback goes back to. */
  readonly allSlots: boolean;
}

export interface ExportedContainer {
  readonly slots: readonly { readonly slot: number; readonly image: string; readonly digest: Digest }[];
  /** Slots whose image is gone from the repository. */
  readonly leftOut: readonly number[];
  readonly layers: number;
  /** Of the layers as they are packed. */
  readonly bytes: number;
}

/**
 * @throws ContainerError CONTAINER_MISSING, CONTAINER_BROKEN, IMAGE_NOT_STORED when the image of the active slot is gone,
 * NOT_EXPORTABLE when it runs on a root file system of the user's; OstreeError, SystemError
 */
export async function exportContainer(
  host: Host,
  repository: Repository,
  { name, file, allSlots }: ExportRequest,
): Promise<ExportedContainer> {
  const { signal, lockTimeoutMs } = host;
  const container = openContainer(host.places, name);
  const active = activeOf(container);
  if (active.info.rootfs !== undefined) throw notExportable(active);
  const others = allSlots ? container.slots.filter(({ slot }) => slot !== active.slot) : [];
  const held = await lockForReading(repository, { signal, timeoutMs: lockTimeoutMs });
  try {
    const wanted = [active, ...others].map((deployment) => ({ deployment, image: imageOf(repository, deployment) }));
    const [first] = wanted;
    if (first?.image === undefined) throw imageGone(active);
    const archive = await writeOciArchive(file, { lockTimeoutMs });
    try {
      return await pack(host, repository, archive, { name, active, wanted });
    } finally {
      archive.discard();
    }
  } finally {
    held.release();
  }
}

interface Wanted {
  readonly deployment: Deployment;
  readonly image: StoredImage | undefined;
}

async function pack(
  host: Host,
  repository: Repository,
  archive: ArchiveWriter,
  { name, active, wanted }: { readonly name: string; readonly active: Deployment; readonly wanted: readonly Wanted[] },
): Promise<ExportedContainer> {
  const { signal, progress, log } = host;
  const onLayer = (digest: Digest, size: number): void =>
    progress({ kind: 'note', text: `packed layer ${digest} (${size} bytes)` });
  const packer = new ImagePacker(repository, archive, { signal, onLayer });
  const slots: ExportedSlot[] = [];
  const leftOut: number[] = [];
  for (const { deployment, image } of wanted) {
    if (image === undefined) {
      leftOut.push(deployment.slot);
      log.warning(`slot ${deployment.slot}: no image of it is in the repository, it is left out`);
      continue;
    }
    const tag = `slot-${deployment.slot}`;
    const { digest } = await packer.add(image, tag);
    slots.push(slotOf(host, deployment, image, { tag, digest }));
  }
  slots.sort((a, b) => a.slot - b.slot);
  archive.setBeside(DOCUMENT_NAME, encodeExport({ name, active: active.slot, slots }));
  await archive.finish(signal);
  const { count, bytes } = packer.layers;
  return {
    slots: slots.map(({ slot, image, digest }) => ({ slot, image, digest: digest as Digest })),
    leftOut,
    layers: count,
    bytes,
  };
}

function imageOf(repository: Repository, { info }: Deployment): StoredImage | undefined {
  return info.rootfs === undefined ? imageOfDeployment(repository, info) : undefined;
}

function notExportable({ name, info }: Deployment): ContainerError {
  const text = `container ${name}: it runs on ${quote(info.rootfs ?? '')}, not on an image`;
  const hint = 'copy that directory, and install it there with --rootfs';
  return new ContainerError('NOT_EXPORTABLE', text, { hint, subject: name });
}

function imageGone({ name, info }: Deployment): ContainerError {
  return new ContainerError('IMAGE_NOT_STORED', `container ${name}: its image is not in the repository any more`, {
    hint: `pull ${info.image} again`,
    subject: info.image,
  });
}

function slotOf(
  { places }: Host,
  { name, slot, path, info }: Deployment,
  image: StoredImage,
  { tag, digest }: { readonly tag: string; readonly digest: Digest },
): ExportedSlot {
  return {
    slot,
    tag,
    digest,
    originalDigest: image.digest,
    storedName: image.branch === '' ? byDigest(info.image, digest) : image.name,
    image: info.image,
    setValues: Object.fromEntries(userSetValues(info, defaultsOf(path, info), { name, places })),
    permissions: [...info.permissions],
    tagVersion: info.tagVersion === undefined ? null : { ...info.tagVersion },
    activated: info.activated ?? null,
    info: JSON.parse(Buffer.from(encodeInfo(info)).toString()),
  };
}

/** What the image gives; needed for deployments of programs that did not record what the user gave. */
function defaultsOf(path: string, { setValues, image }: Info): ReadonlyMap<string, string> | undefined {
  if (setValues !== undefined) return undefined;
  return readExports(directoryTree(`${path}/rootfs`, image)).manifest.defaultValues;
}

/** The name of an image whose own name has moved on to a newer one. */
function byDigest(reference: string, digest: Digest): string {
  try {
    return `${repositoryName(parseNamed(reference.replace(/^docker:\/\//, '')))}@${digest}`;
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    return `localhost/container@${digest}`; // it came from a file
  }
}
