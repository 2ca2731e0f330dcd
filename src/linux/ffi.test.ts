import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../test/support/scratch.ts';
import { AT_FDCWD, deviceNumber, systemCalls } from './ffi.ts';
import { koffi } from './koffi.ts';

const calls = systemCalls();
const isRoot = process.getuid?.() === 0;
const bytes = (text: string) => Buffer.from(text);

describe('without koffi', { skip: calls !== undefined && 'koffi is here' }, () => {
  it('there are no system calls, no exception, and a reason', () => {
    const library = koffi();
    assert.equal(systemCalls(), undefined);
    assert.match(library.kind === 'missing' ? library.reason : '', /koffi/);
  });
});

describe('the device number of mknod', () => {
  it('is that of the C library', () => {
    assert.equal(deviceNumber(0, 0), 0n);
    assert.equal(deviceNumber(1, 3), 0x103n);
    assert.equal(deviceNumber(0x12345, 0x6789a), 0x0000_1200_6780_0000n + 0x3459an + 0x0000_0000_0000_0000n);
  });
});

if (calls !== undefined) {
  describe('extended attributes', () => {
    it('come back as they were set, empty, binary and longer than the first try', (t) => {
      const file = join(scratch(t), 'f');
      fs.writeFileSync(file, '');
      for (const value of [new Uint8Array(), Buffer.from([0, 255, 0]), Buffer.alloc(3000, 7)]) {
        calls.lsetxattr(file, 'user.a', value);
        assert.deepEqual(Buffer.from(calls.lgetxattr(file, 'user.a') ?? []), Buffer.from(value));
      }
    });

    it('are listed by name, also when the list is longer than the first try', (t) => {
      const file = join(scratch(t), 'f');
      fs.writeFileSync(file, '');
      assert.deepEqual(calls.llistxattr(file), []);
      const names = Array.from({ length: 20 }, (_, i) => `user.${'n'.repeat(20)}${i}`);
      for (const name of names) calls.lsetxattr(file, name, bytes('v'));
      assert.deepEqual(calls.llistxattr(file).map(String).length, 20);
      assert.deepEqual(
        calls
          .llistxattr(file)
          .map((n) => Buffer.from(n).toString())
          .sort(),
        names.sort(),
      );
    });

    it('that are absent are undefined to get and false to remove', (t) => {
      const file = join(scratch(t), 'f');
      fs.writeFileSync(file, '');
      assert.equal(calls.lgetxattr(file, 'user.a'), undefined);
      assert.equal(calls.lremovexattr(file, 'user.a'), false);
      calls.lsetxattr(file, 'user.a', bytes('1'));
      assert.equal(calls.lremovexattr(file, 'user.a'), true);
      assert.equal(calls.lgetxattr(file, 'user.a'), undefined);
    });

    it('can be reached through a descriptor', (t) => {
      const fd = fs.openSync(join(scratch(t), 'f'), 'w');
      calls.fsetxattr(fd, 'user.a', bytes('1'));
      assert.equal(Buffer.from(calls.fgetxattr(fd, 'user.a') ?? []).toString(), '1');
      assert.deepEqual(
        calls.flistxattr(fd).map((n) => Buffer.from(n).toString()),
        ['user.a'],
      );
      assert.equal(calls.fremovexattr(fd, 'user.a'), true);
      assert.equal(calls.fgetxattr(fd, 'user.a'), undefined);
      fs.closeSync(fd);
    });

    it('are those of a link, not of its target', { skip: !isRoot && 'trusted.* needs root' }, (t) => {
      const dir = scratch(t);
      fs.writeFileSync(join(dir, 'f'), '');
      fs.symlinkSync('f', join(dir, 'l'));
      calls.lsetxattr(join(dir, 'l'), 'trusted.a', bytes('link'));
      assert.equal(calls.lgetxattr(join(dir, 'f'), 'trusted.a'), undefined);
      assert.throws(() => calls.lsetxattr(join(dir, 'l'), 'user.a', bytes('1')), {
        code: 'EPERM',
        syscall: 'lsetxattr',
      });
    });

    it('of a file system that has none are an empty list', () => {
      assert.deepEqual(calls.llistxattr('/proc/self/status'), []);
    });

    it('of a file that is absent are an error naming it', () => {
      const fields = { name: 'SystemError', code: 'ENOENT', errno: -2, syscall: 'lgetxattr', path: '/nowhere/x' };
      assert.throws(() => calls.lgetxattr('/nowhere/x', 'user.a'), fields);
    });
  });

  describe('a path', () => {
    it('need not be UTF-8', (t) => {
      const name = Buffer.concat([bytes(`${scratch(t)}/`), Buffer.from([0xff, 0xfe])]);
      fs.writeFileSync(name, '');
      calls.lsetxattr(name, 'user.a', bytes('1'));
      assert.equal(calls.llistxattr(name).length, 1);
    });

    it('with a NUL inside is refused, not cut off', () => {
      assert.throws(() => calls.llistxattr('/etc\0/x'), TypeError);
      assert.throws(() => calls.llistxattr(bytes('/etc\0')), TypeError);
    });
  });

  describe('renameat2', () => {
    it('does not replace, and exchanges, when told so', (t) => {
      const dir = scratch(t);
      const fd = fs.openSync(dir, 'r');
      for (const name of ['a', 'b']) fs.writeFileSync(join(dir, name), name);
      assert.throws(() => calls.renameat2?.(fd, 'a', fd, 'b', 'no-replace'), { code: 'EEXIST', path: 'b' });
      calls.renameat2?.(fd, 'a', fd, 'b', 'exchange');
      assert.equal(fs.readFileSync(join(dir, 'b'), 'utf8'), 'a');
      calls.renameat2?.(fd, 'a', fd, 'c', 'no-replace');
      assert.equal(fs.readFileSync(join(dir, 'c'), 'utf8'), 'b');
      fs.closeSync(fd);
    });
  });

  describe('mknodat', () => {
    it('makes a device and a FIFO', { skip: !isRoot && 'needs root' }, (t) => {
      const dir = scratch(t);
      calls.mknodat(AT_FDCWD, join(dir, 'null'), fs.constants.S_IFCHR | 0o600, deviceNumber(1, 3));
      const stats = fs.statSync(join(dir, 'null'));
      assert.deepEqual([stats.isCharacterDevice(), stats.rdev], [true, fs.statSync('/dev/null').rdev]);
      calls.mknodat(AT_FDCWD, join(dir, 'fifo'), fs.constants.S_IFIFO | 0o600, 0n);
      assert.equal(fs.statSync(join(dir, 'fifo')).isFIFO(), true);
    });
  });

  describe('utimensat', () => {
    it('sets nanoseconds, before the epoch too, on a link itself, and leaves out what is not named', (t) => {
      const dir = scratch(t);
      fs.symlinkSync('nowhere', join(dir, 'l'));
      const times = () => fs.lstatSync(join(dir, 'l'), { bigint: true });
      calls.utimensat(AT_FDCWD, join(dir, 'l'), { accessNs: 1_000_000_002n, modifyNs: 1_234_567_890_123_456_789n });
      assert.equal(times().mtimeNs, 1_234_567_890_123_456_789n);
      calls.utimensat(AT_FDCWD, join(dir, 'l'), { modifyNs: -1n });
      assert.equal(times().mtimeNs, -1n);
      assert.equal(times().atimeNs, 1_000_000_002n);
    });
  });

  describe('syncfs', () => {
    it('takes a directory, and says EBADF for no descriptor', (t) => {
      const fd = fs.openSync(scratch(t), 'r');
      calls.syncfs(fd);
      fs.closeSync(fd);
      assert.throws(() => calls.syncfs(9999), { code: 'EBADF', syscall: 'syncfs' });
    });
  });

  describe('a datagram', () => {
    const receive = (path: string) =>
      `import socket\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(${JSON.stringify(path)})\n` +
      'open(s.getsockname()+".ready","w").close()\nimport sys\nsys.stdout.buffer.write(s.recv(65536))';

    it('arrives whole, NUL bytes included', { skip: !hasPython() && 'needs python3' }, async (t) => {
      const path = join(scratch(t), 's');
      const { spawn } = await import('node:child_process');
      const child = spawn('python3', ['-c', receive(path)], { stdio: ['ignore', 'pipe', 'inherit'] });
      const chunks: Uint8Array[] = [];
      child.stdout.on('data', (chunk: Uint8Array) => chunks.push(chunk));
      const ended = new Promise((resolve) => child.once('close', resolve));
      while (!fs.existsSync(`${path}.ready`)) await new Promise((resolve) => setTimeout(resolve, 10));
      calls.sendDatagram(path, bytes('MESSAGE\n\0\0x'));
      await ended;
      assert.equal(Buffer.concat(chunks).toString(), 'MESSAGE\n\0\0x');
    });

    it('to nobody, and to a path too long for a socket, is an error; no descriptor is left open', () => {
      const open = () => fs.readdirSync('/proc/self/fd').length;
      const before = open();
      assert.throws(() => calls.sendDatagram('/nowhere/s', bytes('x')), { code: 'ENOENT', path: '/nowhere/s' });
      assert.throws(() => calls.sendDatagram(`/${'x'.repeat(107)}`, bytes('x')), { code: 'ENAMETOOLONG' });
      assert.equal(open(), before);
    });
  });
}

function hasPython(): boolean {
  return spawnSync('python3', ['-c', '']).status === 0;
}
