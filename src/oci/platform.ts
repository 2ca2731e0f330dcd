/** What a machine can run, and which manifest of an index is meant for it. */
import { endianness } from 'node:os';
import { quote } from '../base/text.ts';
import type { Descriptor } from './descriptor.ts';
import { OciError } from './error.ts';
import { optional, type Reader, readObject, readText, readTexts } from './fields.ts';
import type { JsonObject } from './json.ts';
import { isManifestType } from './media-types.ts';

export interface Platform {
  /** As Go names them: `amd64`, `arm64`, `arm`. */
  readonly architecture: string;
  readonly os: string;
  /** `v7` of arm, `v2` of amd64. */
  readonly variant?: string | undefined;
  readonly 'os.version'?: string | undefined;
  readonly 'os.features'?: readonly string[] | undefined;
}

/** Go's names of what `process.arch` can be, where they differ. */
const GO_NAMES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', mipsel: 'mipsle' };

/** Variants that run on a machine of a given variant are it and those after it. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  arm: ['v8', 'v7', 'v6', 'v5'],
  arm64: ['v9', 'v8'],
  amd64: ['v4', 'v3', 'v2', 'v1'],
};
/** The variants that every machine of an architecture runs: what to try when none is wanted in particular. */
const BASELINE: Readonly<Record<string, readonly string[]>> = {
  arm: ['v8', 'v7', 'v6', 'v5'], // nobody says which, and the tools take the best
  arm64: ['v8'],
  amd64: ['v1'],
};

/** The machine this runs on. Of arm the variant that Node was built for, which certainly runs. */
export function hostPlatform(): Platform {
  const architecture = goArchitecture(process.arch);
  const version: unknown = Object.entries(process.config.variables).find(([name]) => name === 'arm_version')?.[1];
  if (architecture !== 'arm' || (typeof version !== 'string' && typeof version !== 'number')) {
    return { architecture, os: 'linux' };
  }
  return { architecture, os: 'linux', variant: `v${version}` };
}

function goArchitecture(arch: string): string {
  if (arch === 'ppc64' || arch === 'mips64') return endianness() === 'LE' ? `${arch}le` : arch;
  return GO_NAMES[arch] ?? arch;
}

/** `OS/ARCHITECTURE[/VARIANT]`. @throws OciError BAD_REFERENCE */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture = '', variant, ...more] = text.split('/');
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  if (more.length > 0 || !parts.every((part) => /^[a-z0-9][a-z0-9._-]{0,31}$/.test(part))) {
    throw new OciError(
      'BAD_REFERENCE',
      `platform ${quote(text)}: expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT`,
      {
        hint: 'for example linux/arm64, or linux/arm/v7',
        subject: text,
      },
    );
  }
  return variant === undefined ? { architecture, os } : { architecture, os, variant };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined || variant === '' ? [] : [variant])].join('/');
}

/**
 * The entry of an index for a machine: the exact variant, then the lesser ones that it runs as well, then one without
 * any platform. The first of several equal ones. What is no manifest, and artifacts, are not looked at. `os.version`
 * is Windows' business. The order is that of skopeo and podman.
 */
export function choosePlatform(
  index: { readonly manifests: readonly Descriptor[] },
  wanted: Platform,
): Descriptor | undefined {
  const entries = index.manifests.filter((entry) => isManifestType(entry.mediaType));
  for (const variant of variantsFor(wanted)) {
    const found = entries.find(({ platform }) => platform !== undefined && matches(platform, wanted, variant));
    if (found !== undefined) return found;
  }
  return entries.find((entry) => entry.platform === undefined && entry.artifactType === undefined);
}

/** Can a machine run what is made for a platform? */
export function canRun(machine: Platform, made: Platform): boolean {
  return variantsFor(machine).some((variant) => matches(made, machine, variant));
}

function matches(platform: Platform, wanted: Platform, variant: string): boolean {
  const { os, architecture } = platform;
  return os === wanted.os && architecture === wanted.architecture && (platform.variant ?? '') === variant;
}

/** Best first; no variant is the empty text. */
function variantsFor({ architecture, variant = '' }: Platform): readonly string[] {
  if (variant === '') return ['', ...(own(BASELINE, architecture) ?? [])];
  const known = own(VARIANTS, architecture) ?? [];
  const at = known.indexOf(variant);
  return [...(at < 0 ? [variant] : known.slice(at)), ''];
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Absent names are empty texts, as for Go. @throws OciError MANIFEST_MALFORMED */
export const readPlatform: Reader<Platform> = (value, what) => {
  const object = readObject(value, what);
  const variant = optional(object, 'variant', what, readText);
  const version = optional(object, 'os.version', what, readText);
  const features = optional(object, 'os.features', what, readTexts);
  return {
    architecture: optional(object, 'architecture', what, readText) ?? '',
    os: optional(object, 'os', what, readText) ?? '',
    ...(version !== undefined && { 'os.version': version }),
    ...(features !== undefined && { 'os.features': features }),
    ...(variant !== undefined && { variant }),
  };
};

/** For a JSON document, in the order of the Go tools. */
export function platformFields(platform: Platform): JsonObject {
  const { architecture, os, variant, 'os.version': version, 'os.features': features } = platform;
  return {
    architecture,
    os,
    ...(version !== undefined && { 'os.version': version }),
    ...(features !== undefined && { 'os.features': features }),
    ...(variant !== undefined && { variant }),
  };
}
