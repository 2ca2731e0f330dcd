#!/usr/bin/env node
/**
 * The entry point of an image, `/ostree/repo-webserver`. With arguments it runs them, without and at a terminal the
 * shell; otherwise it serves the repository. Spec 1.2.
 */
import { openRepository, type Repository } from '../../ostree/index.ts';
import { statusOf } from '../exit-status.ts';
import { Output } from '../output.ts';
import { runUnder } from './webserver/first-process.ts';
import { serveImage } from './webserver/serve-image.ts';
import { shellOf } from './webserver/shell.ts';

async function main(words: readonly string[], env: NodeJS.ProcessEnv, output: Output): Promise<number> {
  const isTerminal = process.stdin.isTTY === true;
  const run = (command: readonly string[]) => runUnder(command, isTerminal, (text) => output.error(new Error(text)));
  if (words.length > 0) return run(words);
  const path = env['OSTREE_REPO'] ?? '/ostree/repo';
  const shell = isTerminal ? shellAtTerminal(env, path, output) : undefined;
  if (shell !== undefined) return run(shell);
  const repository = openRepository(path);
  try {
    await serveImage(repository, env, output);
    return 0;
  } finally {
    repository.close();
  }
}

/** A damaged repository takes nobody's shell away: they may be here to look at it. */
function shellAtTerminal(env: NodeJS.ProcessEnv, path: string, output: Output): readonly string[] | undefined {
  let repository: Repository | undefined;
  try {
    repository = openRepository(path);
    return shellOf(env, repository);
  } catch (error) {
    output.error(error);
    return shellOf(env, undefined);
  } finally {
    repository?.close();
  }
}

const output = new Output('repo-webserver');
main(process.argv.slice(2), process.env, output).then(
  (status) => process.exit(status),
  (error: unknown) => {
    output.error(error);
    process.exit(statusOf(error));
  },
);
