/** A repository for clients and for people, over HTTP; spec 1.6. */
export { WebError, type WebErrorCode } from './error.ts';
export { type ContainerPlace, openContainerObjects } from './external/container-objects.ts';
export type { ExternalObjects, RebuiltObject } from './external-objects.ts';
export { DEFAULT_LIMITS, type ServerLimits } from './limits.ts';
export { formatHostPort, inheritedSockets, type Listen, parseListenAddress, parsePort } from './listen-address.ts';
export { type RunningServer, type ServeOptions, serveRepository } from './server.ts';
