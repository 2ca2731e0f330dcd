/** Where containers lie on the host, and the settings file that says so. */
export { type Places, seenFromHost } from './places.ts';
export { assertPlainPath } from './plain-path.ts';
export { type PlacesRequest, resolvePlaces } from './resolve.ts';
export { NO_SETTINGS, readSettings, type Settings } from './settings.ts';
