/** A container out of a file that another machine has written: `pull` and `install`, and nothing else. */
import { quote } from '../../base/text.ts';
import { parseImageName } from '../../images/index.ts';
import { type Digest, type Layout, openOciArchive } from '../../oci/index.ts';
import { lockForReading, type Repository } from '../../ostree/index.ts';
import { type Deployment, prepare } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { assertFree, installContainer } from '../install/index.ts';
import { assertContainerName } from '../names/index.ts';
import { findImage, type StoredImage } from '../storage/index.ts';
import { withContainerLock } from '../switch/index.ts';
import type { Values } from '../template/index.ts';
import { uninstallContainer } from '../uninstall/index.ts';
import {
  badExport,
  DOCUMENT_LIMIT,
  DOCUMENT_NAME,
  decodeExport,
  type ExportDocument,
  type ExportedSlot,
} from './document.ts';

export interface ImportRequest {
  readonly file: string;
  /** Default: the name it was exported under. */
  readonly name?: string | undefined;
  /** Over the recorded ones. */
  readonly setValues: Values;
  runtimePath(): string;
  /** An image of the file into the repository, under this name, as `pull` does it: policy and all. */
  pull(reference: string, storedName: string): Promise<StoredImage>;
}

export interface ImportedContainer {
  readonly name: string;
  readonly active: Deployment;
  /** The active one is the first. */
  readonly slots: readonly { readonly slot: number; readonly image: string; readonly digest: Digest }[];
}

/** What would be installed; the active deployment is the first. */
export interface ImportPlan {
  readonly name: string;
  readonly slots: readonly { readonly slot: number; readonly image: string; readonly digest: string }[];
}

/** As far as it can be told without fetching. @throws ContainerError BAD_EXPORT, CONTAINER_EXISTS, HOST_FILE_EXISTS */
export async function planImport(host: Host, request: Pick<ImportRequest, 'file' | 'name'>): Promise<ImportPlan> {
  const { name, slots } = await decide(host, request);
  return { name, slots: slots.map(({ image, digest }, slot) => ({ slot, image, digest })) };
}

async function decide(
  host: Host,
  { file, name: wanted }: Pick<ImportRequest, 'file' | 'name'>,
): Promise<{ readonly name: string; readonly slots: readonly ExportedSlot[] }> {
  const document = await readDocument(file, host.signal);
  const name = wanted ?? document.name;
  assertContainerName(name);
  assertFree(host, name);
  return { name, slots: activeFirst(document).slice(0, host.places.keep) };
}

/**
 * All of it or nothing; images that came in stay.
 * @throws ContainerError BAD_EXPORT, CONTAINER_EXISTS; whatever `pull` and `install` refuse
 */
export async function importContainer(
  host: Host,
  repository: Repository,
  request: ImportRequest,
): Promise<ImportedContainer> {
  const { name, slots } = await decide(host, request);
  const images: StoredImage[] = [];
  for (const slot of slots) images.push(await pullSlot(repository, request, slot));
  const [first, ...others] = slots.map((slot, at) => ({ slot, image: images[at] as StoredImage }));
  if (first === undefined) throw new Error('unreachable: a document without slots');
  const active = await install(host, repository, { request, name, ...first });
  try {
    const made = others.map((other, at) => ({ ...other, number: at + 1 }));
    for (const each of made) await addDeployment(host, repository, { request, name, ...each });
    return {
      name,
      active,
      slots: [{ ...first, number: active.slot }, ...made].map(({ slot, image, number }) => {
        return { slot: number, image: slot.image, digest: image.digest };
      }),
    };
  } catch (error) {
    await uninstallContainer(host, { name, purge: false }); // state of an earlier container of this name stays
    throw error;
  }
}

async function readDocument(file: string, signal: AbortSignal): Promise<ExportDocument> {
  if (file.includes(':')) {
    throw new ContainerError('BAD_EXPORT', `${quote(file)}: a colon in its name`, {
      hint: 'give the file another name, or go by a link without one',
      subject: file,
    });
  }
  const layout = await openOciArchive(file, signal);
  try {
    const bytes = layout.readBeside(DOCUMENT_NAME, DOCUMENT_LIMIT);
    if (bytes === undefined) throw badExport(file, 'is not there: this archive was not written by "export"');
    const document = decodeExport(bytes, file);
    assertImages(layout, document, file);
    return document;
  } finally {
    layout.close();
  }
}

/** What the document says is what the archive has; what is in the images is verified when they come in. */
function assertImages(layout: Layout, { slots }: ExportDocument, file: string): void {
  for (const { tag, digest } of slots) {
    const found = layout.find(tag).digest;
    if (found !== digest) throw badExport(file, `the image ${tag} is ${found}, expected ${digest}`);
  }
}

/** Then those that were active last. */
function activeFirst({ active, slots }: ExportDocument): readonly ExportedSlot[] {
  const weight = ({ slot, activated }: ExportedSlot): number => (slot === active ? Infinity : (activated ?? 0));
  return [...slots].sort((a, b) => weight(b) - weight(a));
}

/** The name of an image of this machine is not taken away from it. */
async function pullSlot(
  repository: Repository,
  { file, pull }: ImportRequest,
  { tag, digest, storedName }: ExportedSlot,
): Promise<StoredImage> {
  const other = findImage(repository, storedName);
  const isFree = other === undefined || other.digest === digest;
  return pull(`oci-archive:${file}:${tag}`, isFree ? storedName : `${withoutTag(storedName)}@${digest}`);
}

function withoutTag(name: string): string {
  const { location } = parseImageName(`docker://${name}`);
  return location.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}

interface SlotRequest {
  readonly request: ImportRequest;
  readonly name: string;
  readonly slot: ExportedSlot;
  readonly image: StoredImage;
}

async function install(
  host: Host,
  repository: Repository,
  { request, name, slot, image }: SlotRequest,
): Promise<Deployment> {
  const { deployment } = await installContainer(host, repository, {
    image: slot.image,
    stored: image,
    name,
    setValues: valuesOf(slot, request),
    permissions: slot.permissions,
    runtimePath: request.runtimePath,
    tagVersion: slot.tagVersion ?? undefined,
  });
  return deployment;
}

/** Beside the active one, and nothing of it on the host: what a rollback goes to. */
async function addDeployment(
  host: Host,
  repository: Repository,
  { request, name, slot, image, number }: SlotRequest & { readonly number: number },
): Promise<void> {
  const { signal, lockTimeoutMs } = host;
  await withContainerLock(host, name, async () => {
    const held = await lockForReading(repository, { signal, timeoutMs: lockTimeoutMs });
    try {
      const prepared = await prepare(host, repository, {
        name,
        slot: number,
        imageName: slot.image,
        image,
        setValues: valuesOf(slot, request),
        permissions: slot.permissions,
        runtimePath: request.runtimePath(),
        tagVersion: slot.tagVersion ?? undefined,
      });
      try {
        prepared.publish({ activated: slot.activated ?? 0 });
      } finally {
        prepared.discard();
      }
    } finally {
      held.release();
    }
  });
}

function valuesOf({ setValues }: ExportedSlot, request: ImportRequest): Values {
  return new Map([...Object.entries(setValues), ...request.setValues]);
}
