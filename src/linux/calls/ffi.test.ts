import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { AT_FDCWD, deviceNumber, systemCalls } from './ffi.ts';
import { type Argument, koffi } from './koffi.ts';
import { cString } from './path-bytes.ts';

const calls = systemCalls();
const bytes = (text: string) => Buffer.from(text);

describe('the device number of mknod', () => {
  it('is that of the C library', () => {
    assert.equal(deviceNumber(0, 0), 0n);
    assert.equal(deviceNumber(1, 3), 0x103n);
    // python3 -c "import os; print(hex(os.makedev(0x12345, 0x6789a)))"
    assert.equal(deviceNumber(0x12345, 0x6789a), 0x120006783459an);
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

    it('are those of a link, not of its target', { skip: needs('root') }, (t) => {
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
    it('makes a device and a FIFO', { skip: needs('root') }, (t) => {
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
    it('arrives whole, NUL bytes included', (t) => {
      const path = join(scratch(t), 's');
      const receiver = bindSocket(path);
      calls.sendDatagram(path, bytes('MESSAGE\n\0\0x'));
      assert.equal(receiver.receive().toString(), 'MESSAGE\n\0\0x');
      receiver.close();
    });

    it('that the receiver has no room for is EAGAIN at once, one too long EMSGSIZE', (t) => {
      const path = join(scratch(t), 's');
      const receiver = bindSocket(path);
      const flood = () => {
        for (let i = 0; i < 100_000; i++) calls.sendDatagram(path, bytes('x'));
      };
      assert.throws(flood, { code: 'EAGAIN', syscall: 'send', path });
      assert.throws(() => calls.sendDatagram(path, Buffer.alloc(2 ** 22)), { code: 'EMSGSIZE' });
      receiver.close();
    });

    it('to nobody, and to a path too long for a socket, is an error; no descriptor is left open', () => {
      const open = () => fs.readdirSync('/proc/self/fd').length;
      const before = open();
      assert.throws(() => calls.sendDatagram('/nowhere/s', bytes('x')), { code: 'ENOENT', path: '/nowhere/s' });
      assert.throws(() => calls.sendDatagram(`/${'x'.repeat(107)}`, bytes('x')), { code: 'ENAMETOOLONG' });
      assert.equal(open(), before);
    });
  });

  describe('a call that a signal interrupts', () => {
    it('is made again', { skip: needs('strace') }, (t) => {
      const script = `import(process.argv[1]).then(({ systemCalls }) => systemCalls().syncfs(0))`;
      const inject = ['-f', '-e', 'trace=syncfs', '-e', 'inject=syncfs:error=EINTR:when=1..3'];
      const node = [process.execPath, '-e', script, new URL('./ffi.js', import.meta.url).href];
      const stdin = fs.openSync(scratch(t), 'r');
      const { status, stderr } = spawnSync('strace', [...inject, ...node], { stdio: [stdin, 'ignore', 'pipe'] });
      fs.closeSync(stdin);
      assert.deepEqual([status, stderr.toString().match(/EINTR/g)?.length], [0, 3]);
    });
  });
} else {
  describe('without koffi', () => {
    it('there are no system calls, no exception, and a reason', () => {
      const library = koffi();
      assert.equal(systemCalls(), undefined);
      assert.match(library.kind === 'missing' ? library.reason : '', /koffi/);
    });
  });
}

/** A datagram socket of our own, by the same means as the calls that are tested. */
function bindSocket(path: string): { receive(): Buffer; close(): void } {
  const library = koffi();
  assert.equal(library.kind, 'loaded');
  const call = (declaration: string, ...args: readonly Argument[]) =>
    library.declare(declaration)?.(path, ...args) ?? -1;
  const fd = call('int socket(int domain, int type, int protocol)', 1, 2, 0);
  const address = Buffer.concat([new Uint8Array(new Uint16Array([1]).buffer), cString(path)]);
  call('int bind(int fd, const uint8_t *address, uint32_t size)', fd, address, address.length);
  return {
    receive() {
      const room = Buffer.alloc(65_536);
      return room.subarray(
        0,
        call('intptr_t recv(int fd, _Out_ uint8_t *room, size_t size, int flags)', fd, room, room.length, 0),
      );
    },
    close: () => void call('int close(int fd)', fd),
  };
}
