/** The web server as one script: made when this program is built, beside this file. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { INSTEAD, WebserverError } from './error.ts';

/** @throws WebserverError WEBSERVER_MISSING */
export function readBundle(): string {
  const place = new URL('./repo-webserver.bundle', import.meta.url);
  try {
    return fs.readFileSync(place, 'utf8').replace(/^#![^\n]*\n/, '');
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new WebserverError('WEBSERVER_MISSING', `${place.pathname}: the web server is not in this installation`, {
      hint: `build it with "npm run build"; or ${INSTEAD}`,
      cause,
    });
  }
}
