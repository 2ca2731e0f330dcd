/** An inspected image as lines for people, and as a document. */
import type { Json } from '../../../base/json.ts';
import { formatBytes, plural } from '../../../base/text.ts';
import { formatImageName } from '../../../images/index.ts';
import { type Descriptor, formatNamed, formatPlatform, type ImageConfig, type Platform } from '../../../oci/index.ts';
import type { Inspected, InspectedImage } from './inspect-image.ts';

/** More tags of a repository than anybody reads. */
const TAGS_SHOWN = 20;

export function* inspectText({ source, raw, index, image }: Inspected, tags?: readonly string[]): Generator<string> {
  yield row('name', nameOf(source));
  yield row('digest', raw.digest);
  yield row('type', raw.mediaType);
  for (const each of index?.manifests ?? []) yield row('member', `${each.digest} ${memberKind(each)}`);
  if (image === undefined) yield row('image', 'none for this machine');
  else yield* imageText(image, index !== undefined);
  if (tags !== undefined) yield row('tags', shownTags(tags));
}

function* imageText({ raw, manifest, config }: InspectedImage, isMember: boolean): Generator<string> {
  if (isMember) yield row('image', raw.digest);
  if (config !== undefined) yield* configText(config);
  if (manifest.artifactType !== undefined) yield row('artifact', manifest.artifactType);
  if (manifest.subject !== undefined) yield row('subject', manifest.subject.digest);
  yield* pairs('annotation', manifest.annotations);
  for (const { digest, size } of manifest.layers) yield row('layer', `${digest} ${formatBytes(size)}`);
  yield row('total', `${plural(manifest.layers.length, 'layer')}, ${formatBytes(totalOf(manifest.layers))}`);
}

function* configText(config: ImageConfig): Generator<string> {
  yield row('platform', formatPlatform(config));
  if (config.created !== undefined) yield row('created', config.created);
  const { Labels: labels = {}, Entrypoint: entrypoint, Cmd: command, User: user } = config.config ?? {};
  if (entrypoint !== undefined) yield row('entrypoint', JSON.stringify(entrypoint));
  if (command !== undefined) yield row('command', JSON.stringify(command));
  if (user !== undefined && user !== '') yield row('user', user);
  yield* pairs('label', labels);
}

function* pairs(title: string, map: Readonly<Record<string, string>>): Generator<string> {
  for (const [key, value] of Object.entries(map)) yield row(title, `${key}=${value}`);
}

function row(title: string, text: string): string {
  return `${`${title}:`.padEnd(12)}${text}`;
}

function memberKind({ platform, artifactType, mediaType }: Descriptor): string {
  return platform === undefined ? (artifactType ?? mediaType) : formatPlatform(platform);
}

function shownTags(tags: readonly string[]): string {
  const shown = tags.slice(0, TAGS_SHOWN).join(' ');
  return tags.length > TAGS_SHOWN ? `${shown} ... ${plural(tags.length, 'tag')}` : shown;
}

function nameOf({ identity, name }: Inspected['source']): string {
  return identity === undefined ? formatImageName(name) : formatNamed(identity);
}

function totalOf(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** `null` stands for what the image does not say. */
export function inspectDocument({ source, raw, index, image }: Inspected, tags?: readonly string[]) {
  return {
    name: nameOf(source),
    digest: raw.digest,
    mediaType: raw.mediaType,
    members:
      index === undefined
        ? null
        : index.manifests.map((each) => ({
            ...descriptorDocument(each),
            platform: each.platform === undefined ? null : platformDocument(each.platform),
            artifactType: each.artifactType ?? null,
          })),
    image: image === undefined ? null : imageDocument(image),
    tags: tags ?? null,
  } satisfies Json;
}

function imageDocument({ raw, manifest, config }: InspectedImage) {
  return {
    digest: raw.digest,
    mediaType: raw.mediaType,
    artifactType: manifest.artifactType ?? null,
    subject: manifest.subject === undefined ? null : descriptorDocument(manifest.subject),
    annotations: manifest.annotations,
    platform: config === undefined ? null : platformDocument(config),
    created: config?.created ?? null,
    labels: config?.config?.Labels ?? {},
    env: config?.config?.Env ?? [],
    entrypoint: config?.config?.Entrypoint ?? null,
    command: config?.config?.Cmd ?? null,
    user: config?.config?.User ?? null,
    workingDirectory: config?.config?.WorkingDir ?? null,
    config: descriptorDocument(manifest.config),
    layers: manifest.layers.map((layer, i) => ({
      ...descriptorDocument(layer),
      diffId: config?.rootfs.diff_ids[i] ?? null,
    })),
    bytes: totalOf(manifest.layers),
  } satisfies Json;
}

function descriptorDocument({ digest, mediaType, size }: Descriptor) {
  return { digest, mediaType, size };
}

function platformDocument({ os, architecture, variant }: Platform) {
  return { os, architecture, variant: variant ?? null };
}
