/**
 * `npm run demo`: the main job of `tako`, for real, in a temporary directory. Every step prints the command that a
 * user would type and what it answered, and the demonstration fails if a step does not answer as it should.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveDirectory } from './static-server.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/tako/main.js', import.meta.url));
const place = fs.mkdtempSync(join(tmpdir(), 'tako-demo-'));
const server = join(place, 'server');
const host = join(place, 'host');

function title(text: string): void {
  console.log(`\n== ${text}`);
}

function say(text: string): void {
  console.log(`   ${text}`);
}

/** A step that is done by hand: shown as the shell command that does it. */
function byHand(command: string, work: () => void): void {
  console.log(`$ ${command}`);
  work();
}

/** Run the built program, show it, and insist on its exit status. */
async function tako(words: readonly string[], expected = 0): Promise<string> {
  console.log(`$ tako ${words.join(' ')}`);
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: place, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  const show = (chunk: Buffer): void => void process.stdout.write(chunk.toString().replace(/^(?=.)/gm, '   '));
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
    show(chunk);
  });
  child.stderr.on('data', show);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (expected !== 0) say(`(exit status ${status})`);
  if (status !== expected) throw new Error(`expected exit status ${expected}, found ${status}`);
  return stdout;
}

function expectLatest(version: string): void {
  const content = fs.readFileSync(join(host, 'latest'), 'utf8').split('\n')[0];
  console.log('$ head -n 1 host/latest');
  say(content ?? '');
  if (content !== `This is the application, version ${version}.`)
    throw new Error(`expected version ${version} to be linked`);
}

async function publish(version: string): Promise<string> {
  fs.writeFileSync(
    join(place, `app-${version}.img`),
    `This is the application, version ${version}.\n${'x'.repeat(100_000)}`,
  );
  const answer = await tako(['store', '--key-file', 'app.key', '--output', 'server', `app-${version}.img`, version]);
  return answer.trim().split(' ').at(-1) ?? '';
}

async function main(): Promise<void> {
  console.log(`Everything happens in ${place}, and is removed at the end.`);

  title('The publisher makes a key pair. The secret half stays here, the public half goes to the hosts.');
  const pair = await quietly(['gen-key']);
  const [secret = '', publicKey = ''] = pair
    .split('\n')
    .filter((line) => /^(SECRET\+)?[A-Za-z0-9+/]{43,}=*$/.test(line));
  console.log('$ tako gen-key > app.key.txt');
  say(`Public key: ${publicKey}`);
  fs.writeFileSync(join(place, 'app.key'), `${secret}\n`, { mode: 0o600 });

  title('The publisher publishes a first version into a directory that any web server can serve.');
  fs.mkdirSync(server);
  await publish('1.0.0');
  const oldManifest = fs.readFileSync(join(server, 'manifest'));
  const origin = await serveDirectory(server);
  say(`(a small static server now serves it at ${origin.url})`);
  try {
    title('A host wants every 1.x, and nothing that could break it.');
    fs.mkdirSync(host);
    const config = [`Origin=${origin.url}`, `PublicKey=${publicKey}`, 'Version=1.*', 'Destination=host'];
    byHand('cat app.conf', () => fs.writeFileSync(join(place, 'app.conf'), `${config.join('\n')}\n`));
    for (const line of config) say(line);
    await tako(['fetch', 'app.conf']);
    expectLatest('1.0.0');

    title('An update inside the bound is taken; fetching again finds nothing to do.');
    await publish('1.1.0');
    await tako(['fetch', 'app.conf']);
    expectLatest('1.1.0');
    await tako(['fetch', 'app.conf']);

    title('A breaking version is published. The host keeps what it has.');
    await publish('2.0.0');
    await tako(['fetch', 'app.conf']);
    expectLatest('1.1.0');

    title('Somebody changes an image on the server. The host refuses it and keeps what it has.');
    const digest = await publish('1.2.0');
    const image = join(server, 'store', digest);
    const original = fs.readFileSync(image);
    byHand(`printf evil | dd of=server/store/${digest.slice(0, 8)}... conv=notrunc`, () => {
      fs.rmSync(image);
      fs.writeFileSync(image, Buffer.concat([Buffer.from('evil'), original.subarray(4)]));
    });
    await tako(['fetch', 'app.conf'], 3);
    expectLatest('1.1.0');

    title('The image is put right again, and the update goes through.');
    byHand('cp backup server/store/...', () => fs.writeFileSync(image, original));
    await tako(['fetch', 'app.conf']);
    expectLatest('1.2.0');

    title('Somebody rolls the manifest on the server back to an old, validly signed one. The host refuses it.');
    const manifest = join(server, 'manifest');
    byHand('cp old-manifest server/manifest', () => {
      fs.rmSync(manifest);
      fs.writeFileSync(manifest, oldManifest);
    });
    await tako(['fetch', 'app.conf'], 3);
    expectLatest('1.2.0');

    title('Garbage: only the current and the previous image are to stay.');
    byHand('echo KeepVersions=2 >> app.conf', () => fs.appendFileSync(join(place, 'app.conf'), 'KeepVersions=2\n'));
    await tako(['gc', '--dry-run', 'app.conf']);
    await tako(['gc', 'app.conf']);
  } finally {
    await origin.close();
  }

  title('Where to go next');
  say('docs/guide.md         from nothing to an automatically updated service, step by step');
  say('docs/configuration.md every key of a configuration');
  say('systemd/              tako@.service and tako@.timer: `systemctl enable --now tako@app.timer`');
}

async function quietly(words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return text;
}

try {
  await main();
} finally {
  fs.rmSync(place, { recursive: true, force: true });
}
