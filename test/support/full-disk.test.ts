import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withSmallDisk } from './full-disk.ts';
import { needs } from './needs.ts';
import { mountsBelow } from './scratch.ts';

describe('a small disk', () => {
  for (const kind of ['ext4', 'tmpfs'] as const) {
    it(`of ${kind} is full when it is full, even for root`, {
      skip: needs(kind === 'ext4' ? 'loop-mount' : 'mount'),
    }, async () => {
      const path = await withSmallDisk({ sizeKiB: 4096, kind }, async (disk) => {
        const before = disk.free();
        assert.ok(before > 2_000_000 && before <= 4096 * 1024, String(before));
        await disk.fill(100_000);
        assert.ok(disk.free() <= 100_000 && disk.free() > 80_000, String(disk.free()));
        writeFileSync(join(disk.path, 'fits'), new Uint8Array(60_000));
        assert.throws(() => writeFileSync(join(disk.path, 'large'), new Uint8Array(120_000)), { code: 'ENOSPC' });
        await disk.release();
        assert.ok(disk.free() > 1_000_000);
        return disk.path;
      });
      assert.deepEqual(mountsBelow(path), []);
    });
  }
});
