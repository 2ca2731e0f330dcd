import { createHttpClient, type HttpClient } from '../../http/index.ts';
import type { Context } from '../program.ts';
import { httpSettings, type TransferValues } from '../shared-options.ts';
import { packageVersion } from '../version.ts';

/** One client, and so one pool of connections, for all configurations; none when nothing needs the network. */
export function lazyClient(values: TransferValues, { output }: Context) {
  let client: HttpClient | undefined;
  const settings = httpSettings(values, `tako/${packageVersion()}`, (text) => output.info(text));
  return {
    get: (): HttpClient => {
      client ??= createHttpClient(settings);
      return client;
    },
    close: async (): Promise<void> => client?.close(),
  };
}
