/** Blobs from one place to another: each once, several at a time, none that is there already. */
import { inLanes } from '../../base/lanes.ts';
import { formatBytes, plural } from '../../base/text.ts';
import { type Descriptor, type Digest, isForeign } from '../../oci/index.ts';
import { formatImageName } from '../image-name.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
import type { CopyOptions, PlannedBlob } from './options.ts';

/** Blobs at a time. */
const JOBS = 4;

export interface BlobTally {
  copied: number;
  bytes: number;
  there: number;
}

/** Which blobs would have to be sent. Each digest once, in the order of the manifests. */
export async function planBlobs(
  descriptors: readonly Descriptor[],
  destination: ImageDestination,
  { signal, jobs = JOBS }: CopyOptions,
): Promise<PlannedBlob[]> {
  const unique = [...new Map(descriptors.filter(isSent).map((each) => [each.digest, each])).values()];
  const planned = new Map<Digest, PlannedBlob>();
  await inLanes(unique, jobs, signal, async (descriptor, each) => {
    const { digest, mediaType, size } = descriptor;
    planned.set(digest, { digest, mediaType, size, isThere: await destination.hasBlob(descriptor, each) });
  });
  return unique.flatMap(({ digest }) => planned.get(digest) ?? []);
}

/** What may not be distributed stays where its addresses say. */
export function isSent({ mediaType, urls }: Descriptor): boolean {
  return !(isForeign(mediaType) && urls !== undefined && urls.length > 0);
}

/** Send those that are not there. */
export async function sendBlobs(
  plan: readonly PlannedBlob[],
  source: ImageSource,
  destination: ImageDestination,
  options: CopyOptions,
): Promise<BlobTally> {
  const { onProgress, signal, jobs = JOBS } = options;
  const missing = plan.filter(({ isThere }) => !isThere);
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  const tally: BlobTally = { copied: 0, bytes: 0, there: plan.length - missing.length };
  if (missing.length === 0) return tally;
  const task = `copy ${formatImageName(destination.name)}`;
  const label = `${plural(missing.length, 'blob')} of ${formatImageName(source.name)}`;
  let done = 0;
  let ok = false;
  const advance = (bytes: number): void => {
    done += bytes;
    onProgress({ kind: 'advance', task, done });
  };
  onProgress({ kind: 'start', task, label, total, done: 0 });
  try {
    await inLanes(missing, jobs, signal, async (blob, each) => {
      if (await destination.borrowBlob(blob, source.name, each)) {
        advance(blob.size);
        tally.there++;
        return;
      }
      const moveTo = position(advance);
      await destination.putBlob(blob, (from) => counted(source.readBlob(blob, from, each), from, moveTo), each);
      moveTo(blob.size); // of what was there already nothing is asked for
      tally.copied++;
      tally.bytes += blob.size;
      onProgress({ kind: 'note', text: `copied blob ${blob.digest} (${formatBytes(blob.size)})` });
    });
    ok = true;
  } finally {
    onProgress({ kind: 'end', task, ok });
  }
  return tally;
}

/** How far a blob is; an upload that broke off goes back. */
function position(advance: (bytes: number) => void): (to: number) => void {
  let at = 0;
  return (to) => {
    if (to !== at) advance(to - at);
    at = to;
  };
}

/** Before a chunk is handed out: who has all of the bytes does not ask for more. */
async function* counted(
  source: AsyncIterable<Uint8Array>,
  from: number,
  moveTo: (to: number) => void,
): AsyncGenerator<Uint8Array> {
  let at = from;
  for await (const chunk of source) {
    at += chunk.length;
    moveTo(at);
    yield chunk;
  }
}
