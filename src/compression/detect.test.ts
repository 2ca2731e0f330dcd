import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detectCompression } from './detect.ts';

describe('the format of a compressed stream', () => {
  for (const [hex, format] of [
    ['', 'none'],
    ['1f', 'none'],
    ['1f8b', 'none'],
    ['1f8b08', 'gzip'],
    ['1f8b0800000000', 'gzip'],
    ['1f8b07', 'none'],
    ['fd377a585a', 'none'],
    ['fd377a585a00', 'xz'],
    ['fd377a585a01', 'none'],
    ['28b52f', 'none'],
    ['28b52ffd', 'zstd'],
    ['502a4d18', 'zstd'],
    ['5f2a4d1800', 'zstd'],
    ['4f2a4d18', 'none'],
    ['602a4d18', 'none'],
    ['502a4d', 'none'],
    ['425a6839', 'none'],
  ] as const) {
    it(`that begins with "${hex}" is ${format}`, () => {
      assert.equal(detectCompression(Buffer.from(hex, 'hex')), format);
    });
  }
});
