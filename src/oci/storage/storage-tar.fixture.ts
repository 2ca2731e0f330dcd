/** Where the contents lie in a tar that is in memory. */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanTar } from '../../tar/index.ts';

export interface TarMember {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

export function scanTarBuffer(tar: Uint8Array): readonly TarMember[] {
  const dir = mkdtempSync(join(tmpdir(), 'tako-test-'));
  try {
    writeFileSync(join(dir, 'tar'), tar);
    const fd = openSync(join(dir, 'tar'), 'r');
    try {
      return [...scanTar(fd)].map(({ path, dataOffset, storedSize }) => ({
        path,
        offset: dataOffset,
        size: storedSize,
      }));
    } finally {
      closeSync(fd);
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}
