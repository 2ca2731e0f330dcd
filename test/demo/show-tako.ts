/** The main job of `tako`, for real. The demonstration fails if a step does not answer as it should. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { byHand, type Stage, say, title } from './stage.ts';
import { serveDirectory } from './static-server.ts';

function expectLatest({ place }: Stage, version: string): void {
  const content = fs.readFileSync(join(place, 'host', 'latest'), 'utf8').split('\n')[0];
  console.log('$ head -n 1 host/latest');
  say(content ?? '');
  if (content !== `This is the application, version ${version}.`)
    throw new Error(`expected version ${version} to be linked`);
}

async function publish(stage: Stage, version: string): Promise<string> {
  fs.writeFileSync(
    join(stage.place, `app-${version}.img`),
    `This is the application, version ${version}.\n${'x'.repeat(100_000)}`,
  );
  const answer = await stage.run('tako', [
    'store',
    '--key-file',
    'app.key',
    '--output',
    'server',
    `app-${version}.img`,
    version,
  ]);
  return answer.trim().split(' ').at(-1) ?? '';
}

export async function showTako(stage: Stage): Promise<void> {
  const { place } = stage;
  const server = join(place, 'server');
  const host = join(place, 'host');
  title('The publisher makes a key pair. The secret half stays here, the public half goes to the hosts.');
  const pair = await stage.quietly('tako', ['gen-key']);
  const [secret = '', publicKey = ''] = pair
    .split('\n')
    .filter((line) => /^(SECRET\+)?[A-Za-z0-9+/]{43,}=*$/.test(line));
  console.log('$ tako gen-key > app.key.txt');
  say(`Public key: ${publicKey}`);
  fs.writeFileSync(join(place, 'app.key'), `${secret}\n`, { mode: 0o600 });

  title('The publisher publishes a first version into a directory that any web server can serve.');
  fs.mkdirSync(server);
  await publish(stage, '1.0.0');
  const oldManifest = fs.readFileSync(join(server, 'manifest'));
  const origin = await serveDirectory(server);
  say(`(a small static server now serves it at ${origin.url})`);
  try {
    title('A host wants every 1.x, and nothing that could break it.');
    fs.mkdirSync(host);
    const config = [`Origin=${origin.url}`, `PublicKey=${publicKey}`, 'Version=1.*', 'Destination=host'];
    byHand('cat app.conf', () => fs.writeFileSync(join(place, 'app.conf'), `${config.join('\n')}\n`));
    for (const line of config) say(line);
    await stage.run('tako', ['fetch', 'app.conf']);
    expectLatest(stage, '1.0.0');

    title('An update inside the bound is taken; fetching again finds nothing to do.');
    await publish(stage, '1.1.0');
    await stage.run('tako', ['fetch', 'app.conf']);
    expectLatest(stage, '1.1.0');
    await stage.run('tako', ['fetch', 'app.conf']);

    title('A breaking version is published. The host keeps what it has.');
    await publish(stage, '2.0.0');
    await stage.run('tako', ['fetch', 'app.conf']);
    expectLatest(stage, '1.1.0');

    title('Somebody changes an image on the server. The host refuses it and keeps what it has.');
    const digest = await publish(stage, '1.2.0');
    const image = join(server, 'store', digest);
    const original = fs.readFileSync(image);
    byHand(`printf evil | dd of=server/store/${digest.slice(0, 8)}... conv=notrunc`, () => {
      fs.rmSync(image);
      fs.writeFileSync(image, Buffer.concat([Buffer.from('evil'), original.subarray(4)]));
    });
    await stage.run('tako', ['fetch', 'app.conf'], 3);
    expectLatest(stage, '1.1.0');

    title('The image is put right again, and the update goes through.');
    byHand('cp backup server/store/...', () => fs.writeFileSync(image, original));
    await stage.run('tako', ['fetch', 'app.conf']);
    expectLatest(stage, '1.2.0');

    title('Somebody rolls the manifest on the server back to an old, validly signed one. The host refuses it.');
    const manifest = join(server, 'manifest');
    byHand('cp old-manifest server/manifest', () => {
      fs.rmSync(manifest);
      fs.writeFileSync(manifest, oldManifest);
    });
    await stage.run('tako', ['fetch', 'app.conf'], 3);
    expectLatest(stage, '1.2.0');

    title('Garbage: only the current and the previous image are to stay.');
    byHand('echo KeepVersions=2 >> app.conf', () => fs.appendFileSync(join(place, 'app.conf'), 'KeepVersions=2\n'));
    await stage.run('tako', ['gc', '--dry-run', 'app.conf']);
    await stage.run('tako', ['gc', 'app.conf']);
  } finally {
    await origin.close();
  }
}
