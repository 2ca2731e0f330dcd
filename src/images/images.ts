/**
 * Places of images, reached as the user's configuration says: registries.conf, credentials, certificates. One for a
 * command; its connections are shared.
 */
import type { NamedReference } from '../oci/index.ts';
import { parseNamed, referenceOf, withDefaultTag } from '../oci/index.ts';
import type { RegistryRepository } from '../registry/index.ts';
import { ImagesError } from './error.ts';
import { formatImageName, type ImageName } from './image-name.ts';
import type { ImageDestination, ImageSource } from './ports.ts';
import type { RegistryAccess } from './registry-access.ts';
import type { ImagesSettings } from './settings.ts';

export interface Images {
  /** @throws ImagesError, OciError, RegistryError */
  source(name: ImageName, signal: AbortSignal): Promise<ImageSource>;
  /** The same as a source; never a mirror. What was copied to it is there after the copy. */
  origin(name: ImageName, signal: AbortSignal): Promise<ImageSource>;
  /** Nothing is made there before something is written. */
  destination(name: ImageName, signal: AbortSignal): Promise<ImageDestination>;
  /** A repository of a registry, for tags and deletion. @throws ImagesError TRANSPORT_UNSUPPORTED for other places */
  repository(
    name: ImageName,
    signal: AbortSignal,
  ): Promise<{
    readonly reference: NamedReference;
    readonly repository: RegistryRepository;
  }>;
  close(): Promise<void>;
}

export function openImages(settings: ImagesSettings): Images {
  let access: Promise<RegistryAccess> | undefined;
  const registries = (): Promise<RegistryAccess> => {
    access ??= import('./registry-access.ts').then(({ openRegistryAccess }) => openRegistryAccess(settings));
    return access;
  };
  return {
    source: (name, signal) => openSource(name, settings, registries, signal),
    origin: (name, signal) => openOrigin(name, settings, registries, signal),
    destination: (name) => openDestination(name, settings, registries),
    async repository(name, signal) {
      if (name.transport !== 'docker') {
        throw new ImagesError('TRANSPORT_UNSUPPORTED', `${formatImageName(name)}: is not in a registry`);
      }
      const reference = parseNamed(name.location);
      const repository = await (await registries()).target(reference, signal);
      return { reference, repository };
    },
    async close() {
      await (await access)?.close();
    },
  };
}

type Registries = () => Promise<RegistryAccess>;

async function openSource(
  name: ImageName,
  settings: ImagesSettings,
  registries: Registries,
  signal: AbortSignal,
): Promise<ImageSource> {
  switch (name.transport) {
    case 'docker': {
      const { RegistrySource } = await import('./transports/registry.ts');
      const access = await registries();
      const place = { name, lookaside: access.lookaside, onNote: settings.onNote };
      return new RegistrySource(place, access.reach(name));
    }
    case 'oci':
    case 'oci-archive':
      return (await import('./transports/layout.ts')).layoutSource(name, signal);
    case 'docker-archive':
      return (await import('./transports/docker-archive.ts')).dockerArchiveSource(name, signal);
    case 'dir':
      return (await import('./transports/directory.ts')).directorySource(name);
    case 'containers-storage':
      return (await import('./transports/storage.ts')).storageSource(name, settings, signal);
  }
}

async function openOrigin(
  name: ImageName,
  settings: ImagesSettings,
  registries: Registries,
  signal: AbortSignal,
): Promise<ImageSource> {
  if (name.transport !== 'docker') return openSource(name, settings, registries, signal);
  const access = await registries();
  const { RegistrySource } = await import('./transports/registry.ts');
  const identity = withDefaultTag(parseNamed(name.location));
  const repository = await access.target(identity, signal);
  const endpoint = { open: async () => repository, reference: referenceOf(identity) ?? 'latest', isInsecure: false };
  const place = { name, lookaside: access.lookaside, onNote: settings.onNote };
  return new RegistrySource(place, [{ identity, endpoints: [endpoint] }]);
}

async function openDestination(
  name: ImageName,
  settings: ImagesSettings,
  registries: Registries,
): Promise<ImageDestination> {
  switch (name.transport) {
    case 'docker': {
      const { RegistryDestination } = await import('./transports/registry.ts');
      const identity = withDefaultTag(parseNamed(name.location));
      const lookaside = () => registries().then((access) => access.lookaside);
      const place = { name, identity, lookaside };
      const repository = (signal: AbortSignal) => registries().then((access) => access.target(identity, signal));
      return new RegistryDestination(place, repository, inRegistry);
    }
    case 'oci':
      return (await import('./transports/layout.ts')).layoutDestination(name, settings);
    case 'oci-archive':
      return (await import('./transports/layout.ts')).archiveDestination(name, settings);
    case 'docker-archive':
      return (await import('./transports/docker-archive.ts')).dockerArchiveDestination(name, settings);
    case 'dir':
      return (await import('./transports/directory.ts')).directoryDestination(name, settings);
    case 'containers-storage':
      throw new ImagesError(
        'TRANSPORT_READ_ONLY',
        `${formatImageName(name)}: images are not written into the storage`,
        {
          hint: 'write an oci-archive, and load it with "podman load"',
        },
      );
  }
}

function inRegistry({ transport, location }: ImageName): NamedReference | undefined {
  return transport === 'docker' ? parseNamed(location) : undefined;
}
