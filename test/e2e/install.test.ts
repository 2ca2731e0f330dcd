/** `make install` into a folder of the test's own: what lies there, whether it runs, and whether it goes again. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { CHECKOUT, must, type RunOptions, run } from '../support/program.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import { ALICE, manifestOf } from './support.ts';

const PREFIX = '/opt/tako-1.0';

describe('make install', { skip: needs('make') }, () => {
  let stage = '';
  let installed: readonly string[] = [];
  const at = (path: string): string => join(stage, PREFIX, path);
  const make = (target: string) => must('make', ['-C', CHECKOUT, target, `DESTDIR=${stage}`, `PREFIX=${PREFIX}`]);
  const tako = (args: readonly string[], options: RunOptions = {}) => run(at('bin/tako'), args, options);

  before(async () => {
    stage = makeScratch();
    await make('install');
    installed = filesBelow(stage);
  });
  after(() => removeTree(stage));

  it('puts everything below PREFIX, where such things usually are', () => {
    const folders = new Set(installed.map((path) => relative(at(''), path).split('/').slice(0, 3).join('/')));
    for (const expected of [
      'bin/os-container',
      'bin/os-containers',
      'bin/ostree-container',
      'bin/tako',
      'lib/systemd/system',
      'lib/tako/os-containers.js',
      'lib/tako/ostree-container.js',
      'lib/tako/tako.js',
      'lib/tako/LICENSES.txt',
      'share/bash-completion/completions',
      'share/doc/tako',
      'share/fish/vendor_completions.d',
      'share/man/man1',
      'share/zsh/site-functions',
    ])
      assert.ok(folders.has(expected), expected);
    assert.ok(installed.every((path) => path.startsWith(at(''))));
    assert.ok(existsSync(at('share/doc/tako/LICENSE')) && existsSync(at('share/doc/tako/NOTICE')));
    assert.ok(!installed.some((path) => /\.(ts|map|test\.\w+|tsbuildinfo)$/.test(path)));
  });

  it('names nowhere the folder it was staged in, nor the checkout', () => {
    for (const path of installed.filter((each) => !each.endsWith('.node'))) {
      const text = readFileSync(path, 'latin1');
      for (const folder of [stage, CHECKOUT.replace(/\/$/, '')])
        assert.ok(!text.includes(folder), `${path}: ${folder}`);
    }
  });

  it('installs a program that needs nothing of the checkout', async (t) => {
    const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
    assert.equal((await tako(['--version'])).stdout, `${version}\n`);

    const home = scratch(t);
    const { secretKey, publicKey } = JSON.parse((await tako(['gen-key', '--json'])).stdout);
    const [server, destination, config, image] = ['server', 'images', 'app', 'image'].map((name) => join(home, name));
    for (const directory of [server, destination]) mkdirSync(directory ?? '', { mode: 0o755 });
    writeFileSync(image ?? '', 'an image');
    writeFileSync(
      config ?? '',
      `Origin=file://${server}\nPublicKey=${publicKey}\nVersion=1.*\nDestination=${destination}\n`,
    );
    const env = { TAKO_SECRET_KEY: secretKey };
    const stored = await tako(['store', '-o', server ?? '', image ?? '', '1.0.0'], { env });
    assert.equal(stored.status, 0, stored.stderr);
    const fetched = await tako(['fetch', config ?? ''], { env: { TAKO_DEBUG: '1' } });
    assert.equal(fetched.status, 0, fetched.stderr);
    assert.equal(readFileSync(join(destination ?? '', 'latest'), 'utf8'), 'an image');
    const status = await tako(['status', config ?? '']);
    assert.match(status.stdout, /1\.0\.0/);
    const refused = await tako(['fetch', '--refresh']);
    assert.equal(refused.status, 2);
  });

  it('installs every program, and pages and completions for each', async () => {
    const { version, bin } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
    assert.deepEqual(Object.keys(bin), ['tako', 'ostree-container', 'os-containers', 'os-container']);
    for (const name of Object.keys(bin)) {
      assert.equal((await run(at(`bin/${name}`), ['--version'])).stdout, `${version}\n`);
      const shares = [`man/man1/${name}.1`, `bash-completion/completions/${name}`, `zsh/site-functions/_${name}`];
      for (const path of [...shares, `fish/vendor_completions.d/${name}.fish`])
        assert.ok(existsSync(at(`share/${path}`)), path);
    }
    for (const page of ['ostree-container-repo', 'ostree-container-repo-init'])
      assert.ok(existsSync(at(`share/man/man1/${page}.1`)), page);
  });

  it('installs a program with groups of commands', async (t) => {
    const { status, stdout } = await run(at('bin/ostree-container'), ['repo', '--help']);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: ostree-container repo /);
    const repository = join(scratch(t), 'repo');
    const made = await run(at('bin/ostree-container'), ['repo', 'init', '--repo', repository]);
    assert.equal(made.status, 0, made.stderr);
    assert.ok(existsSync(join(repository, 'objects')));
    const refused = await run(at('bin/ostree-container'), ['rep']);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /^ostree-container: unknown command "rep"\n.*did you mean "repo"\?/);
  });

  it('installs a program that speaks HTTP, by a proxy too', async (t) => {
    const home = scratch(t);
    const image = Buffer.from('an image');
    const manifest = manifestOf({ '1.0.0': image });
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.end(request.url?.endsWith('/manifest') ? manifest : image);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const [name, origin, env] of [
      ['direct', `${here}/app/`, {}],
      ['proxy', 'http://origin.invalid/app/', { http_proxy: here }],
    ] as const) {
      const [destination, config] = [join(home, `${name}.d`), join(home, name)];
      mkdirSync(destination, { mode: 0o755 });
      writeFileSync(config, `Origin=${origin}\nPublicKey=${ALICE.publicText}\nVersion=*\nDestination=${destination}\n`);
      const { status, stderr } = await tako(['fetch', config], { env });
      assert.equal(status, 0, stderr);
      assert.deepEqual(readFileSync(join(destination, 'latest')), image);
    }
    assert.ok(seen.includes('/app/manifest') && seen.includes('http://origin.invalid/app/manifest'));
  });

  it('brings koffi along when it is installed here', (t) => {
    const here = createRequire(join(CHECKOUT, 'package.json'));
    const there = createRequire(at('lib/tako/tako.js'));
    try {
      here('koffi');
    } catch {
      return t.skip('koffi is not installed');
    }
    assert.ok(there.resolve('koffi').startsWith(at('lib/tako/node_modules')));
    assert.equal(there('koffi').sizeof('long'), 8);
  });

  it('adapts the units to PREFIX', () => {
    for (const name of readdirSync(at('lib/systemd/system'))) {
      const text = readFileSync(at(`lib/systemd/system/${name}`), 'utf8');
      assert.ok(!/\/usr\/(bin|lib)/.test(text), name);
      const documents = [...text.matchAll(/^Documentation=file:\/\/(.*)$/gm)].map(([, path]) => path ?? '');
      for (const path of documents) assert.ok(existsSync(join(stage, path)), path);
    }
    const text = readFileSync(at('lib/systemd/system/tako@.service'), 'utf8');
    assert.ok(text.includes(`\nExecStart=${PREFIX}/bin/tako fetch /etc/tako/%i\n`));
  });

  it('installs units that systemd finds nothing wrong with', { skip: needs('systemd-analyze') }, async () => {
    // The program is looked for where it will be: the staged folder is given for PREFIX.
    const folder = scratch({ after });
    const units = ['tako@.service', 'tako@.timer', 'tako-init@.service'].map((name) => {
      const text = readFileSync(at(`lib/systemd/system/${name}`), 'utf8').replaceAll(PREFIX, at('').replace(/\/$/, ''));
      writeFileSync(join(folder, name), text);
      return join(folder, name.replace('@', '@app'));
    });
    const { status, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...units]);
    const ours = stderr.split('\n').filter((line) => line.includes('tako'));
    assert.deepEqual([status, ours], [0, []], stderr);
  });

  it('installs pages that man prints without a warning', { skip: needs('man', 'groff') }, async () => {
    const pages = installed.filter((path) => path.includes('/man/man1/'));
    assert.ok(pages.length > 10);
    for (const page of pages) {
      const cwd = join(dirname(page), '..'); // a page of two names leads from one to the other by a path from here
      const viewed = await must('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', page], { cwd });
      const typeset = await must('groff', ['-man', '-ww', '-z', page], { cwd });
      assert.deepEqual([viewed.stderr, typeset.stderr], ['', ''], page);
    }
  });

  it('leaves nothing after make uninstall, and nothing of others is taken', async () => {
    const foreign = at('share/doc/tako/local-notes');
    writeFileSync(foreign, 'kept');
    await make('install'); // over itself
    const named = readFileSync(at('lib/tako/installed-files'), 'utf8').split('\n');
    const listed = named.filter((path) => /[^/]$/.test(path)).map(at);
    assert.deepEqual(filesBelow(stage), [...listed, foreign].sort());
    await make('uninstall');
    assert.deepEqual(filesBelow(stage), [foreign]);
    assert.deepEqual(readdirSync(at('')), ['share']);
    await make('uninstall');
  });

  describe('completes', () => {
    let zsh = '';
    before(async () => {
      await make('install');
      zsh = at('share/zsh/site-functions');
    });

    /** The replies for words as bash splits them, and what readline is told to do itself. */
    async function inBash(...words: readonly string[]): Promise<string> {
      const bash = at(`share/bash-completion/completions/${words[0]}`);
      const script = `set -u; . "$1"; shift; compopt() { echo "$@"; }
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1"; echo "\${COMPREPLY[*]}"`;
      const { stdout, stderr } = await must('bash', ['-c', script, 'bash', bash, ...words]);
      assert.equal(stderr, '');
      return stdout.trim();
    }
    it('commands, options, choices and files in bash', { skip: needs('bash') }, async () => {
      assert.equal(await inBash('tako', 'fe'), 'fetch');
      assert.match(await inBash('tako', ''), /^fetch apply .*check-server$/);
      assert.equal(await inBash('tako', 'fetch', '--init-'), '--init-only');
      assert.equal(await inBash('tako', 'fetch', '--progress', 'p'), 'plain');
      assert.equal(await inBash('tako', 'fetch', '--progress', '=', 'p'), 'plain');
      assert.equal(await inBash('tako', 'fetch', '--progress', '='), 'auto plain json none');
      assert.equal(await inBash('tako', 'fetch', '--retry', ''), '');
      assert.equal(await inBash('tako', 'fetch', '/etc/'), '-o default');
      assert.equal(await inBash('tako', 'fetch', '--cacert', '/etc/'), '-o default');
      assert.equal(await inBash('tako', 'store', '-o', '/'), '-o dirnames');
      assert.equal(await inBash('tako', 'store', '-k', 'list', ''), '-o default');
      assert.equal(await inBash('tako', 'store', 'image', ''), '');
      assert.equal(await inBash('tako', 'nonsense', 'fe'), '');
    });

    it('the commands of every program in bash', { skip: needs('bash') }, async () => {
      assert.equal(await inBash('ostree-container', 're'), 'repo');
      assert.equal(await inBash('ostree-container', 'repo', 'ini'), 'init');
      assert.equal(await inBash('ostree-container', 'repo', 'init', '--mode', 'ar'), 'archive');
      assert.equal(await inBash('ostree-container', 'repo', 'init', '--repo', '/'), '-o dirnames');
    });

    async function inFish(line: string): Promise<readonly string[]> {
      const fish = at(`share/fish/vendor_completions.d/${line.split(' ')[0]}.fish`);
      const script = 'source $argv[1]; complete -C $argv[2]';
      const { stdout } = await must('fish', ['--no-config', '-c', script, fish, line], { env: { HOME: stage } });
      return stdout.trim().split('\n');
    }
    it('commands with their summaries, options, choices and files in fish', { skip: needs('fish') }, async () => {
      assert.deepEqual(await inFish('tako fe'), ['fetch\tcheck for updates, download and apply them']);
      assert.deepEqual((await inFish('tako fetch --progress ')).map((line) => line.split('\t')[0]).sort(), [
        'auto',
        'json',
        'none',
        'plain',
      ]);
      assert.match((await inFish('tako fetch --init-'))[0] ?? '', /^--init-only\t/);
      assert.deepEqual(await inFish('tako fetch /etc/passw'), await inFish('tako store -k list /etc/passw'));
      assert.ok((await inFish('tako fetch /etc/passw')).includes('/etc/passwd'));
      assert.ok((await inFish('tako store -o /us')).some((line) => line.startsWith('/usr/')));
      assert.deepEqual(await inFish('tako store image /etc/passw'), ['']);
      assert.deepEqual(await inFish('ostree-container re'), ['repo\twork with an OSTree repository']);
    });

    it('commands and options in zsh', { skip: needs('zsh') }, async (t) => {
      const dump = join(scratch(t), 'dump');
      const shown = await must('zsh', ['-f', '-c', ZSH_SESSION, 'zsh', zsh, dump], {
        env: { HOME: stage },
      });
      assert.match(shown.stdout, /tako gen-key/, shown.stdout);
      assert.match(shown.stdout, /--limit-rate/, shown.stdout);
      assert.match(shown.stdout, /--progress[= ]plain/, shown.stdout);
      assert.match(shown.stdout, /ostree-container repo init/, shown.stdout);
    });
  });
});

/** A zsh on a terminal of its own; three lines are begun, and the tab key is pressed after each. */
const ZSH_SESSION = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1='> '; fpath=(\${(q)1} \\$fpath); autoload -Uz compinit; compinit -u -d \${(q)2}; echo set up"
zpty -r shell out '*set up*set up*'
for line in 'tako gen' 'tako fetch --lim' 'tako fetch --progress=pl' 'ostree-container repo ini'; do
    zpty -w -n shell "$line"$'\\t'
    more=''
    for i in {1..100}; do
        zpty -r -t shell part && more+=$part
        [[ $more == *(gen-key|limit-rate|plain|init)* ]] && break
        sleep 0.05
    done
    print -r -- "$more"
    zpty -w -n shell $'\\x15'
done
`;

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
