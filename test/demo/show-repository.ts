/** `ostree-container repo` at its main job, for real: publish signed trees, follow them, refuse what is not right. */
import { generateKeyPairSync } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { koffi } from '../../src/linux/calls/koffi.ts';
import { searchPath } from '../support/needs.ts';
import { byHand, type Stage, say, title } from './stage.ts';
import { serveDirectory } from './static-server.ts';

const REF = 'app/stable';
const isRoot = process.getuid?.() === 0;
/** Root keeps owners; anybody else gets files of their own. */
const MODE = isRoot ? 'bare' : 'bare-user-only';

export async function showRepository(stage: Stage): Promise<void> {
  const library = koffi();
  if (library.kind === 'missing') {
    say(`Not shown: without koffi repositories can only be read (${library.reason}).`);
    return;
  }
  title('The publisher makes a key pair and a repository. Any web server can serve it.');
  const key = makeKeys(stage, 'secret.key');
  await repo(stage, 'init', '--repo=server', '--mode=archive');

  title('A directory is committed and signed. The summary lists the refs.');
  await publish(stage, '1');
  const web = await serveDirectory(join(stage.place, 'server'));
  say(`(a small static server now serves it at ${web.url})`);
  try {
    title('A host wants this ref, signed by this key.');
    await repo(stage, 'init', '--repo=host', `--mode=${MODE}`);
    if (!isRoot) say('(bare-user-only: you are not root, so the files will be yours)');
    const verify = ['--no-gpg-verify', '--set=sign-verify-summary=true', `--sign-verify=ed25519=inline:${key}`];
    await repo(stage, 'remote', 'add', '--repo=host', ...verify, 'origin', web.url);
    await pullAndCheckOut(stage, '1');

    await showUpdate(stage);
    await showRefusals(stage);
  } finally {
    await web.close();
  }

  title('Old versions are deleted, and what is left is read back.');
  await repo(stage, 'prune', '--repo=host', '--refs-only', '--depth=0');
  await repo(stage, 'fsck', '--repo=host');
}

async function showUpdate(stage: Stage): Promise<void> {
  const hasXz = searchPath()
    .split(':')
    .some((directory) => fs.existsSync(join(directory, 'xz')));
  title(`An update: ${hasXz ? 'a static delta has only what is different' : 'only new objects travel'}.`);
  await publish(stage, '2', hasXz ? ['delta', 'generate', '--repo=server', REF] : undefined);
  if (!hasXz) say('(no program xz here, which makes static deltas)');
  await repo(stage, 'diff', '--repo=server', REF);
  await pullAndCheckOut(stage, '2');
}

async function showRefusals(stage: Stage): Promise<void> {
  title('Somebody changes a file on the server. The host refuses it and keeps what it has.');
  const before = new Set(filesOn(stage));
  await publish(stage, '3');
  const [added] = filesOn(stage).filter((file) => !before.has(file));
  const [other] = before;
  if (added === undefined || other === undefined) throw new Error('expected a new object');
  const original = fs.readFileSync(added);
  byHand('cp server/objects/<other>.filez server/objects/<new>.filez', () => replace(added, fs.readFileSync(other)));
  await repo({ ...stage, expected: 3 }, 'pull', '--repo=host', 'origin', REF);
  byHand('cp backup server/objects/<new>.filez', () => replace(added, original));
  await pullAndCheckOut(stage, '3');

  title('Somebody else commits to the server, with a key of theirs. The host refuses that, too.');
  makeKeys(stage, 'other.key');
  await publish(stage, '4', undefined, 'other.key');
  await repo({ ...stage, expected: 3 }, 'pull', '--repo=host', 'origin', REF);
  await expectChecksum(stage, '3');
}

/** @param delta the words of a command that comes between commit and summary */
async function publish(stage: Stage, version: string, delta?: readonly string[], key = 'secret.key'): Promise<void> {
  const data = Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join('');
  fs.mkdirSync(join(stage.place, 'tree'), { recursive: true });
  byHand('$EDITOR tree/version tree/data', () => {
    fs.writeFileSync(join(stage.place, 'tree', 'version'), `This is version ${version}.\n`);
    fs.writeFileSync(join(stage.place, 'tree', 'data'), `${data}${version}\n`);
  });
  const options = [`--branch=${REF}`, `--subject=Version ${version}`, `--sign-from-file=${key}`];
  const owner = ['--owner-uid=0', '--owner-gid=0', '--generate-sizes'];
  await repo(stage, 'commit', '--repo=server', ...options, ...owner, 'tree');
  if (delta !== undefined) await repo(stage, ...delta);
  await repo(stage, 'summary', '--repo=server', '--update', `--sign-from-file=${key}`);
}

async function pullAndCheckOut(stage: Stage, version: string): Promise<void> {
  await repo(stage, 'pull', '--repo=host', 'origin', REF);
  await repo(stage, 'checkout', '--repo=host', `origin:${REF}`, `version-${version}`);
  const content = fs.readFileSync(join(stage.place, `version-${version}`, 'version'), 'utf8');
  console.log(`$ cat version-${version}/version`);
  say(content.trim());
  if (content !== `This is version ${version}.\n`) throw new Error(`expected version ${version}`);
}

async function expectChecksum(stage: Stage, version: string): Promise<void> {
  const subject = await repo(stage, 'log', '--repo=host', `origin:${REF}`);
  if (!subject.includes(`Version ${version}`))
    throw new Error(`expected version ${version} to be what the ref leads to`);
}

function repo(stage: Stage & { readonly expected?: number }, ...words: readonly string[]): Promise<string> {
  return stage.run('ostree-container', ['repo', ...words], stage.expected);
}

/** As OSTree keeps them: base64 of seed and public key. Gives the public key. */
function makeKeys({ place }: Stage, name: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const half = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  byHand(`openssl genpkey -algorithm ed25519 ... > ${name}`, () => {
    fs.writeFileSync(join(place, name), `${Buffer.concat([seed, half]).toString('base64')}\n`, { mode: 0o600 });
  });
  say(`Public key: ${half.toString('base64')}`);
  return half.toString('base64');
}

function filesOn({ place }: Stage): readonly string[] {
  const objects = join(place, 'server', 'objects');
  return fs
    .readdirSync(objects, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.filez'))
    .map((name) => join(objects, name));
}

function replace(file: string, content: Uint8Array): void {
  fs.rmSync(file);
  fs.writeFileSync(file, content);
}
