/**
 * undici has no `exports` table, and these files are all that is needed of it: importing them takes 20 ms,
 * importing its door (with fetch, WebSocket, caches and mocks) 70 ms, more than the rest of a start together.
 */
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici';
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  export { ProxyAgent as default } from 'undici';
}

declare module 'undici/lib/core/connect.js' {
  export { buildConnector as default } from 'undici';
}

declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}

/** The method that undici's door would have added to every dispatcher; a proxy agent needs it for tunnels. */
declare module 'undici/lib/api/api-connect.js' {
  import type { Dispatcher } from 'undici';

  const connect: Dispatcher['connect'];
  export default connect;
}
