/** A Debian system as layers: what umoci unpacks is what ostree checks out of our import. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { copyRoot } from '../support/machine.ts';
import { needs } from '../support/needs.ts';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { importInto, layeredFacts, writeLayout } from './layered-image.ts';

const LONG = { timeoutMs: 600_000 };

describe('the layers of a Debian system', { skip: needs('machine', 'umoci', 'ostree', 'tar', 'setfattr') }, () => {
  it('with devices, sockets, capabilities and sparse files are imported equal to umoci', async (t) => {
    const folder = scratch(t);
    const root = await copyRoot(folder);
    const capability = '0x0100000200200000000000000000000000000000';
    execFileSync('setfattr', ['-n', 'security.capability', '-v', capability, join(root, 'usr/bin/busybox')]);
    execFileSync('truncate', ['-s', '400M', join(root, 'var/sparse')]);
    execFileSync('mknod', [join(root, 'dev/loop7'), 'b', '7', '7']);
    const server = createServer().listen(join(root, 'run/socket'));
    t.after(() => server.close());
    const pack = async (name: string, ...words: readonly string[]): Promise<string> => {
      const options = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--sparse', '-C', root];
      await must('tar', [...options, '-cf', join(folder, name), ...words], LONG);
      return join(folder, name);
    };
    const first = await pack('first.tar', '.');
    writeFileSync(join(root, 'usr/share/.wh.doc'), '');
    writeFileSync(join(root, 'var/.wh.sparse'), '');
    mkdirSync(join(root, 'opt/new'));
    execFileSync('chmod', ['0700', join(root, 'var')]);
    const second = await pack(
      'second.tar',
      './usr/share/.wh.doc',
      './var/.wh.sparse',
      './opt',
      '--no-recursion',
      './var',
    );
    const tars = [first, second];
    writeLayout(join(folder, 'layout'), tars);
    await must('umoci', ['raw', 'unpack', `--image=${join(folder, 'layout')}:image`, join(folder, 'theirs')], LONG);
    const image = await importInto(join(folder, 'repo'), tars);
    await must('ostree', ['fsck', '--quiet', `--repo=${join(folder, 'repo')}`], LONG);
    await must('ostree', ['checkout', '-H', `--repo=${join(folder, 'repo')}`, 'image', join(folder, 'ours')], LONG);
    const [ours, theirs] = [layeredFacts(join(folder, 'ours')), layeredFacts(join(folder, 'theirs'))];
    assert.deepEqual(Object.keys(ours), Object.keys(theirs));
    assert.deepEqual(ours, theirs);
    assert.ok(image.layers[0]?.skipped.some(({ path }) => path === './dev/loop7'));
    assert.ok(Object.keys(ours).length > 5000 && ours['usr/share/doc'] === undefined);
  });
});
