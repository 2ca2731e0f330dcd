/** Commands over several configurations: one failing does not stop the others, the worst status counts. */
import { describeError, type Json } from '../../base/json.ts';
import { type Config, configDirectory, listConfigs, loadConfig } from '../../tako/index.ts';
import { statusOf, worstStatus } from '../exit-status.ts';
import type { Context } from '../program.ts';

type Fields = { readonly [key: string]: Json | undefined };

/** Read one configuration, with its warnings on stderr. */
export function openConfig(path: string, { output }: Context): Config {
  const config = loadConfig(path);
  for (const warning of config.warnings) output.warning(warning);
  return config;
}

/** Do `work` for each in turn and print one document with all results, errors among them. */
export async function eachConfig(
  paths: readonly string[],
  context: Context,
  schema: string,
  head: Fields,
  work: (config: Config) => Promise<Fields>,
): Promise<number> {
  const results: Fields[] = [];
  const statuses: number[] = [];
  for (const path of paths) {
    try {
      const config = openConfig(path, context);
      results.push({ config: path, ...(await work(config)), error: null });
    } catch (error) {
      if (context.signal.aborted) throw error;
      results.push(await failure(path, error, context));
      statuses.push(statusOf(error));
    }
  }
  context.output.document(schema, { ...head, results });
  return worstStatus(statuses);
}

/** Say what went wrong with one configuration, in the journal too; its place among the results. */
export async function failure(path: string, error: unknown, context: Context): Promise<Fields> {
  const { logFailure } = await import('./events.ts');
  if (!(await logFailure(path, error, context))) context.output.error(error, mentions(error, path) ? undefined : path);
  return { config: path, error: describeError(error) };
}

/** The configurations that are meant when none is named. */
export function namedOrAll(paths: readonly string[], { output }: Context): readonly string[] {
  if (paths.length > 0) return paths;
  const directory = configDirectory();
  const found = listConfigs(directory);
  if (found.length === 0) output.info(`no configuration in ${directory}`);
  return found;
}

function mentions(error: unknown, path: string): boolean {
  return error instanceof Error && error.message.startsWith(path);
}
