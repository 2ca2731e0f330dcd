import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { systemCalls } from '../calls/ffi.ts';
import { openDirectory } from './directory.ts';
import { syncFileSystem } from './flush.ts';

describe('flushing a file system', () => {
  it('works through a directory, with koffi or with the sync program', (t) => {
    const directory = openDirectory(scratch(t));
    syncFileSystem(directory);
    directory.close();
  });

  it('without koffi needs the program: else NO_SYNCFS', (t) => {
    const directory = openDirectory(scratch(t));
    const path = process.env['PATH'];
    process.env['PATH'] = '';
    try {
      if (systemCalls() === undefined) assert.throws(() => syncFileSystem(directory), { code: 'NO_SYNCFS' });
      else syncFileSystem(directory);
    } finally {
      process.env['PATH'] = path;
      directory.close();
    }
  });
});
