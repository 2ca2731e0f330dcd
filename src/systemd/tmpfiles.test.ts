import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { needs } from '../../test/support/needs.ts';
import { scratch } from '../../test/support/scratch.ts';
import { runProgram } from '../linux/processes/spawn.ts';
import { formatTmpfilesField, parseTmpfiles } from './tmpfiles.ts';

const lines = (text: string) => parseTmpfiles(Buffer.from(text));

describe('a tmpfiles fragment', () => {
  it('has fields, and an argument that is the rest of the line', () => {
    assert.deepEqual(lines('# c\n\nd    /run/kvd   0755 0 0 10d -\nL+! /etc/x - - - - ../usr/x  y\n'), [
      {
        type: 'd',
        modifiers: '',
        path: '/run/kvd',
        mode: '0755',
        user: '0',
        group: '0',
        age: '10d',
        argument: '-',
        line: 3,
      },
      {
        type: 'L',
        modifiers: '+!',
        path: '/etc/x',
        mode: '-',
        user: '-',
        group: '-',
        age: '-',
        argument: '../usr/x  y',
        line: 4,
      },
    ]);
  });

  it('may have fewer fields', () => {
    assert.deepEqual(lines('d /run/x')[0], {
      type: 'd',
      modifiers: '',
      path: '/run/x',
      mode: '',
      user: '',
      group: '',
      age: '',
      argument: '',
      line: 1,
    });
  });

  it('has paths in quotes and with escapes', () => {
    assert.deepEqual(
      lines('d "/run/a b"\nd /run/a\\x20b\nd \'/run/"\'').map(({ path }) => path),
      ['/run/a b', '/run/a b', '/run/"'],
    );
  });

  it('with a line that systemd would not take has it without a type', () => {
    for (const text of ['d', 'd "/run', 'd /run/\\q']) {
      assert.deepEqual(
        lines(text).map(({ type, argument }) => [type, argument]),
        [['', text]],
        text,
      );
    }
  });

  it('gets back every path that was written as a field', () => {
    for (const path of ['/run/kvd', '/run/a b', '/run/"x"', '/run/\\x', "/run/it's", '/run/é']) {
      assert.deepEqual(
        lines(`d ${formatTmpfilesField(path)} 0700`).map((line) => [line.path, line.mode]),
        [[path, '0700']],
      );
    }
  });

  it('may be any bytes', () => {
    const piece = fc.constantFrom('d', ' ', '/run', '"', '\\', '\n', '%', '#', "'", 'x');
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.array(piece).map((pieces) => Buffer.from(pieces.join(''))),
    );
    fc.assert(fc.property(bytes, (each) => parseTmpfiles(each).every(({ type, path }) => type === '' || path !== '')));
  });

  it('makes the directories that were meant', { skip: needs('root', 'systemd-tmpfiles') }, async (t) => {
    const root = scratch(t);
    const paths = ['a b', '50%', '%t', '"q"', 'back\\slash', "it's"].map((name) => join(root, name));
    const fragment = join(root, 'x.conf');
    writeFileSync(fragment, paths.map((path) => `d ${formatTmpfilesField(path)} 0700 0 0 - -\n`).join(''));
    const { status, stderr } = await runProgram('systemd-tmpfiles', ['--create', fragment]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      paths.filter((path) => !existsSync(path)),
      [],
    );
  });
});
