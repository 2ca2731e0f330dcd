/** `tako` beside curl: start-up, a run with nothing to do, a large image; time and memory. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatPublicKey, formatSecretKey, generateSecretKey } from '../src/tako/manifest-api.ts';
import { startNginx } from '../test/support/nginx.ts';
import { openDisk } from './disk.ts';
import { type Contender, printMemory, printRatio, race } from './measure.ts';

const MAIN = fileURLToPath(new URL('../src/cli/tako/main.js', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../../build/bundle/tako.js', import.meta.url));
const MIB = 2 ** 20;

export async function benchTako(): Promise<void> {
  const disk = openDisk(8);
  const server = join(disk.path, 'server');
  mkdirSync(server);
  const nginx = await startNginx({ root: server });
  try {
    const key = generateSecretKey();
    writeFileSync(join(disk.path, 'key'), formatSecretKey(key), { mode: 0o600 });
    const site = new Site(disk.path, nginx.url, formatPublicKey(key.publicKey));
    site.publish('small', 1);
    site.publish('large', 1024);
    await startUp(site);
    await nothingToDo(site);
    await largeImage(site);
  } finally {
    await nginx.stop();
    disk.close();
  }
}

function ours(name: string, words: readonly string[], before?: () => void, main = MAIN): Contender {
  return { name, command: [process.execPath, main, ...words], ...(before === undefined ? {} : { before }) };
}

function shell(name: string, script: string, before?: () => void): Contender {
  return { name, command: ['sh', '-ec', script], ...(before === undefined ? {} : { before }) };
}

async function startUp(site: Site): Promise<void> {
  const config = site.installed('small');
  const [node, help, status, bundledHelp, bundledStatus] = await race(
    [
      { name: 'node', command: [process.execPath, '-e', '0'] },
      ours('help', ['--help']),
      ours('status', ['status', config]),
      ours('bundled help', ['--help'], undefined, BUNDLE),
      ours('bundled status', ['status', config], undefined, BUNDLE),
    ],
    21,
  );
  if (!node || !help || !status || !bundledHelp || !bundledStatus) throw new Error('unreachable: five contenders');
  printRatio('tako --help / node -e 0', help, node, 1.35);
  printRatio('tako status CONFIG / node -e 0', status, node, 1.35);
  printRatio('bundled: tako --help / node -e 0', bundledHelp, node, 1.15);
  printRatio('bundled: tako status CONFIG / node -e 0', bundledStatus, node, 1.15);
}

async function nothingToDo(site: Site): Promise<void> {
  const [small, large] = [site.installed('small'), site.installed('large')];
  const curl = (name: string): Contender => shell('curl', `curl -sf -o /dev/null ${site.url(name)}manifest`);
  const [noop, noopCurl, skip, skipCurl] = await race(
    [ours('fetch', ['fetch', small]), curl('small'), ours('no verify', ['fetch', '--no-verify', large]), curl('large')],
    11,
  );
  if (!noop || !noopCurl || !skip || !skipCurl) throw new Error('unreachable: four contenders');
  printRatio('fetch, nothing to do, 1 MiB image / curl of the manifest', noop, noopCurl);
  printRatio('fetch --no-verify, nothing to do, 1 GiB / curl', skip, skipCurl);
}

async function largeImage(site: Site): Promise<void> {
  const config = site.configure('large');
  const file = join(site.root, 'curl.out');
  const url = site.imageUrl('large');
  const fresh = (): void => rmSync(file, { force: true });
  const [fetch, sum, openssl] = await race(
    [
      ours('fetch', ['fetch', config], () => site.empty('large')),
      shell('curl, sha256sum', `curl -sf -o ${file} ${url}; sync ${file}; sha256sum ${file} >/dev/null`, fresh),
      shell(
        'curl, openssl',
        `curl -sf -o ${file} ${url}; sync ${file}; openssl dgst -sha256 ${file} >/dev/null`,
        fresh,
      ),
    ],
    5,
  );
  if (!fetch || !sum || !openssl) throw new Error('unreachable: three contenders');
  printRatio('fetch of 1 GiB / curl, sync, sha256sum', fetch, sum, 0.6);
  printRatio('fetch of 1 GiB / curl, sync, openssl dgst', fetch, openssl, 1.05);
  printMemory('fetch of 1 GiB: peak memory', fetch, 110);
}

/** A server directory and a host directory for each application. */
class Site {
  readonly root: string;
  readonly #base: string;
  readonly #publicKey: string;
  readonly #digests = new Map<string, string>();

  constructor(root: string, base: string, publicKey: string) {
    this.root = root;
    this.#base = base;
    this.#publicKey = publicKey;
  }

  url(name: string): string {
    return `${this.#base}/${name}/`;
  }

  imageUrl(name: string): string {
    return `${this.url(name)}store/${this.#digests.get(name)}`;
  }

  publish(name: string, mebibytes: number): void {
    const image = join(this.root, `${name}.img`);
    writeNoise(image, mebibytes);
    const output = join(this.root, 'server', name);
    mkdirSync(output);
    const words = ['store', '--quiet', '--key-file', join(this.root, 'key'), '--output', output, image, '1.0'];
    const answer = execFileSync(process.execPath, [MAIN, ...words], { encoding: 'utf8' });
    this.#digests.set(name, answer.trim().split(' ').at(-1) ?? '');
    rmSync(image);
  }

  configure(name: string): string {
    this.empty(name);
    const config = join(this.root, `${name}.conf`);
    const lines = [
      `Origin=${this.url(name)}`,
      `PublicKey=${this.#publicKey}`,
      'Version=1.*',
      `Destination=${this.#host(name)}`,
    ];
    writeFileSync(config, `${lines.join('\n')}\n`);
    return config;
  }

  installed(name: string): string {
    const config = this.configure(name);
    execFileSync(process.execPath, [MAIN, 'fetch', '--quiet', config]);
    return config;
  }

  empty(name: string): void {
    rmSync(this.#host(name), { recursive: true, force: true });
    mkdirSync(this.#host(name));
  }

  #host(name: string): string {
    return join(this.root, `${name}.host`);
  }
}

/** Bytes without pattern, the same in every run: a linear congruence, one word a step, repeated by the MiB with a stamp. */
function writeNoise(path: string, mebibytes: number): void {
  const block = Buffer.alloc(MIB);
  let word = 1;
  for (let i = 0; i < MIB; i += 4) {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    block.writeUInt32LE(word, i);
  }
  const fd = openSync(path, 'w');
  for (let i = 0; i < mebibytes; i++) {
    block.writeUInt32LE(i, 0);
    writeSync(fd, block);
  }
  closeSync(fd);
}
