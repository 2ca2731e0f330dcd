/** What is told of a pull. */
import { formatBytes, plural } from '../../../../base/text.ts';
import type { PlannedLayer, StorePlan, StorePull } from '../../../../ostree-container/index.ts';
import type { Context } from '../../../program.ts';
import { tellSignatures } from '../../commit-verification.ts';
import { signatureDocument } from '../../repo/signature-document.ts';
import type { Opened } from '../../repo/with-repository.ts';
import { OBJECTS_STAY } from './with-store.ts';

/** Paths that are shown of each layer's left out files. */
const SHOWN = 5;

export function tellPulled(pulled: StorePull, wasVerified: boolean, opened: Opened): void {
  const { output } = opened;
  const { baseCommit, fetchedLayers, fetchedBytes, layers, filtered, skippedFiles, droppedLayers } = pulled;
  if (baseCommit !== undefined) tellSignatures(baseCommit, wasVerified ? pulled.signatures : undefined, opened);
  if (!pulled.isNew) output.info(`commit ${pulled.commit}: is stored already`);
  else output.info(`${fetchedLayers} of ${plural(layers.length, 'layer')} fetched: ${formatBytes(fetchedBytes)}`);
  if (filtered.size > 0) {
    const sums = [...filtered].map(([path, count]) => `${path} (${count})`).join(', ');
    output.warning(`files of layers that have no place in the tree were left out: ${sums}`);
  }
  if (skippedFiles.length > 0) {
    const more = skippedFiles.length > SHOWN ? ', ...' : '';
    output.warning(`special files were left out: ${skippedFiles.slice(0, SHOWN).join(', ')}${more}`);
  }
  if ((droppedLayers ?? 0) > 0) output.info(`${plural(droppedLayers ?? 0, 'unused layer')} dropped; ${OBJECTS_STAY}`);
}

export function pulledDocument(pulled: StorePull, wasVerified: boolean) {
  return {
    isNew: pulled.isNew,
    commit: pulled.commit,
    baseCommit: pulled.baseCommit ?? null,
    manifestDigest: pulled.manifestDigest,
    layers: pulled.layers.map(layerDocument),
    fetchedLayers: pulled.fetchedLayers,
    fetchedBytes: pulled.fetchedBytes,
    verified: wasVerified,
    signatures: pulled.signatures.map(signatureDocument),
    filtered: Object.fromEntries(pulled.filtered),
    skippedFiles: pulled.skippedFiles,
    droppedLayers: pulled.droppedLayers ?? null,
  };
}

export function tellPlan({ isStored, layers, bytes, manifest }: StorePlan, { output }: Context): void {
  const missing = isStored ? [] : layers.filter(({ isThere }) => !isThere);
  output.results(missing.map(({ kind, digest, size }) => `${digest} ${kind} ${formatBytes(size)}`));
  output.info(
    isStored
      ? `${manifest.digest}: is stored already`
      : `would fetch ${missing.length} of ${plural(layers.length, 'layer')}: ${formatBytes(bytes)}`,
  );
}

export function planDocument({ isStored, layers, bytes, manifest }: StorePlan) {
  return { isStored, manifestDigest: manifest.digest, bytes, layers: layers.map(layerDocument) };
}

function layerDocument({ kind, digest, mediaType, size, isThere }: PlannedLayer) {
  return { kind, digest, mediaType, size, isThere };
}
