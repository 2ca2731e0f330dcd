/** What is made for a deployment beside its root file system: as it is on the disk, and as it would be. */
import { join } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { readFileBounded } from '../../linux/files/read.ts';
import { formatConfig } from '../../runtime/index.ts';
import type { Deployment, Rendered } from '../deployment/index.ts';
import { diffLines, type TextDifference } from './text-difference.ts';

export interface ChangedFile extends TextDifference {
  /** In the directory of the deployment: `config.json`, `NAME.service`, `tmpfiles-NAME.conf`. */
  readonly file: string;
}

const LIMIT = 16 * 2 ** 20;

/** Those that differ. */
export function changedFiles({ name, path }: Deployment, { config, unit, fragment }: Rendered): readonly ChangedFile[] {
  const files = [
    { file: 'config.json', after: config && formatConfig(config) },
    { file: `${name}.service`, after: unit },
    { file: `tmpfiles-${name}.conf`, after: fragment },
  ];
  return files.flatMap(({ file, after }) => {
    const difference = diffLines(linesOf(file, readIfThere(join(path, file))), linesOf(file, after));
    return difference.removed.length + difference.added.length === 0 ? [] : [{ file, ...difference }];
  });
}

/** JSON of any writer in one form, so that only what it says counts. */
function linesOf(file: string, bytes: Uint8Array | undefined): string {
  const text = Buffer.from(bytes ?? []).toString('utf8');
  if (file !== 'config.json') return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileBounded(path, LIMIT).bytes;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
