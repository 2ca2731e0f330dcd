/** What files are, by lstat and by what an archive says about them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { readTar, scanTar, type TarEntry } from '../../src/tar/index.ts';
import { must } from '../support/program.ts';

/** What a file is, by lstat and by what an archive says. Times in nanoseconds, as text for their size. */
interface Fact {
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: string;
  readonly size: number;
  readonly sha256?: string;
  readonly target?: string;
  readonly device?: readonly [number, number];
  readonly xattrs: Readonly<Record<string, string>>;
}
export type Facts = Readonly<Record<string, Fact>>;

/** What a program does not keep of a file. */
export interface Loss {
  readonly nanoseconds?: true;
  readonly xattrs?: true;
  readonly symlinkTimes?: true;
}

export const BUILD = `
import os, sys
root, level = sys.argv[1], sys.argv[2]
os.umask(0)
def put(path, data=b'', mode=0o644, mtime=1700000000123456789):
    full = os.path.join(os.fsencode(root), path.encode())
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, 'wb') as f: f.write(data)
    os.chmod(full, mode)
    os.utime(full, ns=(mtime, mtime))
    return full
put('empty'); put('one', b'x'); put('block', bytes(range(256)) * 2); put('more', b'y' * 100000, 0o4755)
put('dir/inner', b'inner', 0o600)
put('dir/' + 'n' * 90, b'name of 94')
os.makedirs(os.path.join(root, 'hollow'), 0o1777)
os.symlink('dir/inner', os.path.join(root, 'link'))
os.link(os.path.join(root, 'one'), os.path.join(root, 'zwei'))
os.chown(os.path.join(root, 'one'), 1234, 5678)
if level != 'v7':
    os.mkfifo(os.path.join(root, 'pipe'), 0o640)
    os.mknod(os.path.join(root, 'char'), 0o20600, os.makedev(1, 3))
    os.mknod(os.path.join(root, 'disk'), 0o60660, os.makedev(259, 255))
    put('p' * 60 + '/' + 'q' * 60 + '/' + 'r' * 60, b'with prefix')
    put('old', b'first second', mtime=0)
if level in ('long', 'whole', 'full'):
    put('Ünïcode/日本語', 'Grüße'.encode())
    put('d' * 200 + '/' + 'e' * 220 + '/' + 'f' * 200, b'long')
    put('g' * 100, b'hundred'); put('h' * 101, b'hundred and one')
    os.symlink('t' * 300, os.path.join(root, 'far'))
    os.symlink('ü' * 60, os.path.join(root, 'umlauts'))
    os.link(os.path.join(root, 'd' * 200, 'e' * 220, 'f' * 200), os.path.join(root, 'zu-lang'))
    os.chown(put('nobody', b'ids'), 4294967294, 3000000000)
    full = put('attributes', b'xattrs')
    os.setxattr(full, 'user.binary', bytes(range(256))); os.setxattr(full, 'user.empty', b'')
    os.setxattr(full, 'user.a=b', b'equals'); os.setxattr(full, 'user.newline', b'1\\n2=\\n')
    os.setxattr(os.path.join(root, 'hollow'), 'trusted.overlay.opaque', b'y')
if level in ('whole', 'full'):
    put('yesterday', b'1969', mtime=-86400 * 10**9)
    os.mknod(os.path.join(root, 'partition'), 0o60660, os.makedev(259, 1048575))
if level == 'full': put('before', b'1969', mtime=-1500000000)
`;

const DUMP = `
import hashlib, json, os, stat, sys
root = os.fsencode(sys.argv[1])
facts = {}
def add(path, name):
    s = os.lstat(path)
    kind = {stat.S_IFREG: 'file', stat.S_IFDIR: 'directory', stat.S_IFLNK: 'symlink', stat.S_IFCHR: 'character', stat.S_IFBLK: 'block', stat.S_IFIFO: 'fifo'}[stat.S_IFMT(s.st_mode)]
    fact = dict(type=kind, mode=stat.S_IMODE(s.st_mode), uid=s.st_uid, gid=s.st_gid, mtime=str(s.st_mtime_ns), size=0)
    fact['xattrs'] = {} if kind == 'symlink' else {n: os.getxattr(path, n).hex() for n in sorted(os.listxattr(path)) if n.split('.')[0] in ('user', 'trusted')}
    if kind == 'file':
        digest = hashlib.sha256()
        with open(path, 'rb') as f:
            for chunk in iter(lambda: f.read(1 << 20), b''): digest.update(chunk)
        fact.update(size=s.st_size, sha256=digest.hexdigest())
    if kind == 'symlink': fact['target'] = os.fsdecode(os.readlink(path))
    if kind in ('character', 'block'): fact['device'] = [os.major(s.st_rdev), os.minor(s.st_rdev)]
    facts[name] = fact
for folder, folders, files in os.walk(root):
    for name in folders + files:
        path = os.path.join(folder, name)
        add(path, os.fsdecode(os.path.relpath(path, root)))
print(json.dumps(facts))
`;

export async function dump(dir: string): Promise<Facts> {
  return JSON.parse((await must('python3', ['-c', DUMP, dir])).stdout);
}

/** Both readers find in the archive what the files are. */
export async function assertHolds(archive: string, expected: Facts, loss: Loss): Promise<void> {
  const fd = openSync(archive, 'r');
  const scanned = [...scanTar(fd)];
  const found: Record<string, Fact> = {};
  let index = 0;
  for await (const { data, whole: _, ...entry } of readTar(createReadStream(archive))) {
    assert.deepEqual(entry, scanned[index++]);
    const content = await contentOf(data());
    const path = entry.path.replace(/^\.\//, '');
    if (path === '.') continue;
    assert.equal(found[path], undefined, `${path} comes once`);
    found[path] = entry.type === 'hardlink' ? linked(found, entry) : factOf(entry, content);
  }
  closeSync(fd);
  assert.equal(index, scanned.length);
  assert.deepEqual(lossy(found, loss), lossy(expected, loss));
}

function linked(found: Readonly<Record<string, Fact>>, { linkTarget = '' }: TarEntry): Fact {
  const fact = found[linkTarget.replace(/^\.\//, '')];
  assert.ok(fact !== undefined, `hard link to ${linkTarget}`);
  return fact;
}

function factOf(entry: TarEntry, content: Buffer): Fact {
  const { type, mode, uid, gid, size, linkTarget, device, mtime } = entry;
  assert.equal(content.length, size);
  return {
    type,
    mode,
    uid,
    gid,
    size,
    mtime: String(BigInt(mtime.seconds) * 1_000_000_000n + BigInt(mtime.nanoseconds)),
    xattrs: Object.fromEntries(entry.xattrs.map(([name, value]) => [name, Buffer.from(value).toString('hex')])),
    ...(type === 'file' ? { sha256: createHash('sha256').update(content).digest('hex') } : {}),
    ...(linkTarget === undefined ? {} : { target: linkTarget }),
    ...(device === undefined ? {} : { device: [device.major, device.minor] }),
  };
}

function lossy(facts: Facts, loss: Loss): Facts {
  const change = (fact: Fact): Fact => ({
    ...fact,
    ...(loss.nanoseconds ? { mtime: String(floorSeconds(BigInt(fact.mtime))) } : {}),
    ...(loss.xattrs ? { xattrs: {} } : {}),
    ...(loss.symlinkTimes && fact.type === 'symlink' ? { mtime: '0' } : {}),
  });
  return Object.fromEntries(Object.entries(facts).map(([path, fact]) => [path, change(fact)]));
}

function floorSeconds(nanoseconds: bigint): bigint {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return (nanoseconds - rest) / 1_000_000_000n;
}

export async function contentOf(data: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of data) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
