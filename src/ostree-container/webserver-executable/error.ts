/** Codes are API: scripts and tests match on them, texts may change. */
import { CodedError } from '../../base/error.ts';

export type WebserverErrorCode =
  /** This installation has no bundle of the web server. */
  | 'WEBSERVER_MISSING'
  /** The running Node cannot be made into a single executable. */
  | 'WEBSERVER_NODE'
  /** The tree lacks what the executable needs: its loader, a library, a version of one, the architecture. */
  | 'WEBSERVER_LIBRARIES'
  | 'ELF_MALFORMED';

export class WebserverError extends CodedError<WebserverErrorCode> {}

/** What helps whatever the reason is. */
export const INSTEAD =
  'give another executable with --webserver FILE, put Node 20 or later at /usr/bin/node, or leave it out with --no-webserver';
