/**
 * The example system containers (test/fixtures/system-containers), built once for the whole process into OCI layouts:
 * `kvd` 1.0 and 2.0, `ticker`, `banner`, `bare`, each with its tags and `latest`. Needs what `SYSTEM_IMAGE_PEERS` names.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { searchPath } from './needs.ts';
import { makeScratch } from './scratch.ts';

/** For `needs(...)`. */
export const SYSTEM_IMAGE_PEERS = ['busybox', 'tar', 'umoci', 'skopeo'] as const;

export type SystemImage = 'kvd' | 'ticker' | 'banner' | 'bare';

export interface SystemImages {
  /** The folder of the layouts. */
  readonly path: string;
  /** `oci:DIR/kvd:1.0` */
  name(image: SystemImage, tag?: string): string;
  /** `sha256:...` of the manifest. */
  digest(image: SystemImage, tag?: string): string;
}

const run = promisify(execFile);
let built: Promise<SystemImages> | undefined;

/** The sources of the images: what goes into each layer. */
export function systemImageSources(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'test/fixtures/system-containers');
}

/** Read only: all tests of a file share them. */
export function systemImages(): Promise<SystemImages> {
  built ??= exampleImages(makeScratch());
  return built;
}

/** The same into a directory of the caller's, which needs not exist. */
export async function exampleImages(path: string): Promise<SystemImages> {
  await run('sh', [join(systemImageSources(), 'build.sh'), path], { env: { ...process.env, PATH: searchPath() } });
  return {
    path,
    name: (image, tag = 'latest') => `oci:${path}/${image}:${tag}`,
    digest: (image, tag = 'latest') => digestOf(join(path, image, 'index.json'), tag),
  };
}

/** Into a registry, as `HOST/example/IMAGE:TAG`. @param host `127.0.0.1:5000`, without TLS unless `certDir` is given */
export async function pushSystemImage(
  host: string,
  { image, tag = 'latest', as = tag, certDir }: PushedImage,
): Promise<string> {
  const images = await systemImages();
  const name = `${host}/example/${image}:${as}`;
  const tls = certDir === undefined ? ['--dest-tls-verify=false'] : ['--dest-cert-dir', certDir];
  const from = images.name(image, tag);
  await run('skopeo', ['--insecure-policy', 'copy', '-q', '--preserve-digests', ...tls, from, `docker://${name}`], {
    env: { ...process.env, PATH: searchPath() },
  });
  return name;
}

export interface PushedImage {
  readonly image: SystemImage;
  readonly tag?: string;
  /** Its tag there. */
  readonly as?: string;
  readonly certDir?: string;
}

function digestOf(index: string, tag: string): string {
  const { manifests } = JSON.parse(readFileSync(index, 'utf8')) as { manifests: readonly Listed[] };
  const found = manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag);
  if (found === undefined) throw new Error(`${index}: has no ${tag}`);
  return found.digest;
}

interface Listed {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
