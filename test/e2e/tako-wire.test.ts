import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { HELLO, VECTOR, WORLD } from '../../src/tako/manifest/manifest.fixture.ts';
import { startHostileServer } from '../support/hostile-server.ts';
import { needs } from '../support/needs.ts';
import { must, run, runTako, startTako, TAKO } from '../support/program.ts';
import {
  ALICE,
  type Answer,
  BERTA,
  closedOrigin,
  configure,
  type ErrorDocument,
  fetch,
  fetched,
  linked,
  MALLORY,
  manifestOf,
  newPlace,
  noise,
  type Place,
  provision,
  publish,
  put,
  readState,
  sealLines,
  sha256,
  store,
  stored,
  takoJson,
  tree,
} from './support.ts';

function image(place: Place, content: string | Uint8Array = 'content\n', mode = 0o644): string {
  const path = join(place.root, 'image');
  put(path, content, mode);
  return path;
}

/** `tako store` with Alice's key file. */
function storeAs(place: Place, version: string, file = image(place)): Promise<Answer<ErrorDocument>> {
  return takoJson(['store', '-f', place.keyFile, '-o', place.server, '--', file, version]);
}

const ESC = '\u001b';

/** The files of a server directory, without our own memory. */
function served(place: Place): Record<string, string> {
  return tree(place.server, { own: false });
}

describe('tako store', { concurrency: 3 }, () => {
  it('writes the manifest of the specification byte for byte, and read-only files', async (t) => {
    const place = newPlace(t);
    for (const [version, content] of [
      ['1.1', 'world!\n'],
      ['1.0.0', 'hello\n'],
      ['1.1-rc.1', 'hello\n'],
    ] as const) {
      const args = ['store', '-f', place.keyFile, '-o', place.server, image(place, content), version];
      const { status, stdout } = await runTako(args);
      assert.deepEqual([status, stdout], [0, `${version} -> ${sha256(content)}\n`]);
    }
    assert.equal(fs.readFileSync(join(place.server, 'manifest'), 'latin1'), VECTOR.toString('latin1'));
    const files = served(place);
    assert.deepEqual(Object.keys(files), ['.', 'manifest', 'store', `store/${WORLD}`, `store/${HELLO}`]);
    for (const name of ['manifest', `store/${WORLD}`, `store/${HELLO}`]) assert.match(files[name] ?? '', /^444 0 /);
  });

  it('again with the same image and version succeeds and changes no byte', async (t) => {
    const place = newPlace(t);
    await store(place, 'content\n', '1.0');
    const before = tree(place.server, { exact: true });
    assert.equal((await storeAs(place, '1.0')).status, 0);
    assert.deepEqual(tree(place.server, { exact: true }), before);
  });

  describe('takes its key', { concurrency: 3 }, () => {
    const good = ALICE.secretText;
    const sources: readonly (readonly [string, (place: Place) => readonly string[], string | undefined])[] = [
      ['from --key', () => ['--key', good], undefined],
      ['from --key and does not open the key file', () => ['-k', good, '-f', '/nonexistent'], undefined],
      ['from --key-file rather than from the environment', (p) => ['-f', p.keyFile], 'no key'],
      ['from --key rather than from the environment', () => ['-k', good], 'no key'],
      ['from the environment', () => [], good],
      ['from the environment with a newline at its end', () => [], `${good}\n`],
      ['from a file without a newline', (p) => ['-f', keyFile(p, good)], undefined],
      ['from a file with CRLF and a comment', (p) => ['-f', keyFile(p, `${good}\r\n# of Alice\r\n`)], undefined],
      ['from a file with text right behind it', (p) => ['-f', keyFile(p, `${good}garbage`)], undefined],
    ];
    for (const [title, args, variable] of sources) {
      it(title, async (t) => {
        const place = newPlace(t);
        const words = ['store', ...args(place), '-o', place.server, image(place), '1.0'];
        const { status, stderr } = await runTako(words, { env: { TAKO_SECRET_KEY: variable } });
        assert.equal(status, 0, stderr);
        assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifestOf({ '1.0': 'content\n' }));
      });
    }
    it('or says that there is none, which is wrong usage', async (t) => {
      const place = newPlace(t);
      const { status, document } = await takoJson(['store', '-o', place.server, image(place), '1.0']);
      assert.deepEqual([status, document['code']], [2, 'USAGE']);
    });
    it('from the command line with a warning that others can see it', async (t) => {
      const place = newPlace(t);
      const { stderr } = await runTako(['store', '-k', good, '-o', place.server, image(place), '1.0']);
      assert.match(stderr, /key.*command line/);
      assert.ok(!stderr.includes(good.slice(7)));
    });

    const seed = Buffer.from(good.slice(7), 'base64').subarray(0, 32);
    const open = Buffer.from(ALICE.publicText, 'base64');
    const other = Buffer.from(MALLORY.publicText, 'base64');
    const key = (...parts: Buffer[]): string => `SECRET+${Buffer.concat(parts).toString('base64')}`;
    for (const [title, text, code] of [
      ['is empty', '', 'INVALID_SECRET_KEY_PREFIX'],
      ['is shorter than its prefix', 'SECR', 'INVALID_SECRET_KEY_PREFIX'],
      ['has a prefix in lower case', good.replace('SECRET', 'secret'), 'INVALID_SECRET_KEY_PREFIX'],
      ['has the prefix of 2018', `PRIVATE:${seed.toString('base64')}`, 'INVALID_SECRET_KEY_PREFIX'],
      ['begins with a blank', ` ${good}`, 'INVALID_SECRET_KEY_PREFIX'],
      ['is the prefix alone', 'SECRET+', 'INVALID_SECRET_KEY_DATA'],
      ['is a seed alone', key(seed), 'INVALID_SECRET_KEY_DATA'],
      ['lacks its last copy', key(seed, open), 'INVALID_SECRET_KEY_DATA'],
      ['has a wrong copy in its middle', key(seed, other, open), 'INVALID_SECRET_KEY_DATA'],
      ['has a wrong copy at its end', key(seed, open, other), 'INVALID_SECRET_KEY_DATA'],
      ['is cut by one character', good.slice(0, -1), 'INVALID_SECRET_KEY_DATA'],
      ['is in the alphabet for URLs', good.replace(/[/]/g, '_'), 'INVALID_SECRET_KEY_DATA'],
    ] as const) {
      it(`and refuses one that ${title}, before anything is written`, async (t) => {
        const place = newPlace(t);
        const before = tree(place.server, { exact: true });
        const args = ['store', '-f', keyFile(place, text), '-o', place.server, image(place), '1.0'];
        const { status, document, stdout, stderr } = await takoJson(args);
        assert.deepEqual([status, document['code']], [1, code]);
        assert.deepEqual(tree(place.server, { exact: true }), before);
        if (text.length > 20)
          assert.ok(!(stdout + stderr).includes(text.slice(10, 40)), 'no part of the key is printed');
      });
    }
    function keyFile(place: Place, text: string): string {
      const path = join(place.root, 'other.key');
      put(path, text, 0o600);
      return path;
    }
  });

  describe('does what the original got wrong:', { concurrency: 3 }, () => {
    for (const version of [
      '',
      ' ',
      '1 0',
      '1.0 ',
      ' 1.0',
      '1\n0',
      '1.0\n',
      '1\t0',
      '1.0\u007f',
      '1.0é',
      '*',
      '1.*',
      '1-*',
      '1_*.',
    ]) {
      it(`it refuses the version ${JSON.stringify(version)} and changes nothing`, async (t) => {
        const place = newPlace(t);
        await store(place, 'first\n', '1.0.0');
        const before = tree(place.server, { exact: true });
        const { status, document } = await storeAs(place, version);
        assert.deepEqual([status, document.code], [1, 'INVALID_VERSION']);
        assert.deepEqual(tree(place.server, { exact: true }), before);
      });
    }
    it('it takes every other printable version, and what it has written can be read by the next run', async (t) => {
      const place = newPlace(t);
      for (const version of ['-1', '~', '1**', '1.0+build/5:6', '!"#$%&\'()']) {
        assert.equal((await storeAs(place, version)).status, 0, version);
      }
      const config = configure(place);
      await fetched(config);
      const { document } = await takoJson<{ versions: { version: string }[] }>(['list', config]);
      assert.equal(document.versions.length, 5);
    });

    for (const [title, version, content] of [
      ['of another image', '1.0.0', 'other\n'],
      ['spelled differently, of the same image', '1.0', 'content\n'],
      ['spelled differently, of another image', '01_0', 'other\n'],
    ] as const) {
      it(`a version that is taken, ${title}, is a duplicate, and no copy of it stays`, async (t) => {
        const place = newPlace(t);
        await store(place, 'content\n', '1.0.0');
        const before = tree(place.server, { exact: true });
        const { status, document } = await storeAs(place, version, image(place, content));
        assert.deepEqual([status, document.code], [1, 'DUPLICATE']);
        assert.deepEqual(tree(place.server, { exact: true }), before);
      });
    }

    for (const [title, damaged] of [
      ['too short', 'con'],
      ['of other bytes', 'CONTENT\n'],
      ['too long', 'content\nand more'],
    ]) {
      it(`a file under the name of the image that is ${title} is replaced, and the entry tells the right size`, async (t) => {
        const place = newPlace(t);
        fs.mkdirSync(join(place.server, 'store'));
        const file = join(place.server, 'store', sha256('content\n'));
        put(file, damaged ?? '', 0o444);
        assert.equal((await storeAs(place, '1.0')).status, 0);
        assert.equal(fs.readFileSync(file, 'latin1'), 'content\n');
        assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifestOf({ '1.0': 'content\n' }));
      });
    }
    it('a published image that was damaged since is mended by publishing it again', async (t) => {
      const place = newPlace(t);
      const manifest = publish(place.server, { '1.0': 'content\n' });
      put(join(place.server, 'store', sha256('content\n')), 'CONTENT\n', 0o444);
      assert.equal((await storeAs(place, '1.0')).status, 0);
      assert.equal(fs.readFileSync(join(place.server, 'store', sha256('content\n')), 'latin1'), 'content\n');
      assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifest);
    });

    it('an image that is written to while it is published never lies under the digest of other bytes', async (t) => {
      const place = newPlace(t);
      const file = image(place, noise(16 << 20));
      const running = startTako(['store', '-f', place.keyFile, '-o', place.server, file, '1.0']);
      const fd = fs.openSync(file, 'r+');
      let ended = false;
      void running.done.finally(() => {
        ended = true;
      });
      for (let i = 0; !ended; i = (i + 7919) % (16 << 10)) {
        fs.writeSync(fd, `changed ${i}`, i << 10);
        await new Promise(setImmediate);
      }
      fs.closeSync(fd);
      const { status } = await running.done;
      const lines = status === 0 ? fs.readFileSync(join(place.server, 'manifest'), 'latin1').split('\n') : [];
      assert.equal(status, 0);
      assert.deepEqual(stored(place.server), [
        sha256(fs.readFileSync(join(place.server, 'store', stored(place.server)[0] ?? ''))),
      ]);
      assert.equal(lines[2], `1.0 ${16 << 20} ${stored(place.server)[0]}`);
    });

    for (const mode of [0o4755, 0o600, 0o666, 0o777]) {
      it(`an image of mode ${mode.toString(8)} is published with mode 444`, async (t) => {
        const place = newPlace(t);
        assert.equal((await storeAs(place, '1.0', image(place, 'content\n', mode))).status, 0);
        const stats = fs.statSync(join(place.server, 'store', sha256('content\n')));
        assert.equal(stats.mode & 0o7777, 0o444);
      });
    }

    it('a directory, a FIFO, a device and a missing file are no images, and store/ is not made for them', async (t) => {
      const place = newPlace(t);
      await must('mkfifo', [join(place.root, 'fifo')]);
      for (const file of [place.root, join(place.root, 'fifo'), '/dev/zero', join(place.root, 'missing')]) {
        const { status, document } = await storeAs(place, '1.0', file);
        assert.deepEqual([status, document.code], [1, 'IMAGE_UNREADABLE'], file);
      }
      assert.deepEqual(Object.keys(served(place)), ['.']);
    });
    it('an empty image is one, and can be fetched', async (t) => {
      const place = newPlace(t);
      assert.equal((await storeAs(place, '1.0', image(place, ''))).status, 0);
      assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifestOf({ '1.0': '' }));
      await fetched(configure(place));
      assert.equal(linked(place.destination), '');
    });
  });

  it('does not make the directory it is to publish to', async (t) => {
    const place = newPlace(t);
    fs.rmdirSync(place.server);
    const { status, document } = await storeAs(place, '1.0');
    assert.deepEqual([status, document.code, fs.existsSync(place.server)], [1, 'NO_DIRECTORY', false]);
  });

  it('refuses a directory whose manifest another key has signed', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'content\n' }, MALLORY);
    const before = served(place);
    const { status, document } = await storeAs(place, '1.1', image(place, 'more\n'));
    assert.deepEqual([status, document.code], [3, 'INVALID_SIGNATURE']);
    assert.deepEqual(served(place), before);
  });
});

describe('tako gen-key', { concurrency: 3 }, () => {
  it('prints five lines, of which two are keys that belong together, and writes nothing', async (t) => {
    const place = newPlace(t);
    const before = tree(place.root, { exact: true });
    const { status, stdout } = await runTako(['gen-key'], { cwd: place.root, env: { HOME: place.root } });
    assert.equal(status, 0);
    const [label, secretText = '', empty, second, publicText = '', ...rest] = stdout.split('\n');
    assert.match(label ?? '', /^Key pair/);
    assert.deepEqual([empty, second, rest], ['', 'Public key:', ['']]);
    assert.match(secretText, /^SECRET\+[A-Za-z0-9+/]{128}$/);
    assert.match(publicText, /^[A-Za-z0-9+/]{43}=$/);
    const bytes = Buffer.from(secretText.slice(7), 'base64');
    for (const at of [32, 64]) assert.equal(bytes.subarray(at, at + 32).toString('base64'), publicText);
    assert.deepEqual(tree(place.root, { exact: true }), before);
  });

  it('makes another key each time, that publishes what a host with its public half fetches', async (t) => {
    const place = newPlace(t);
    const { document: first } = await takoJson<{ secretKey: string; publicKey: string }>(['gen-key']);
    const { document: second } = await takoJson<{ secretKey: string; publicKey: string }>(['gen-key']);
    assert.notEqual(first.secretKey, second.secretKey);
    put(place.keyFile, `${second.secretKey}\n`, 0o600);
    await store(place, 'content\n', '1.0');
    await fetched(configure(place, { key: second.publicKey }));
    assert.equal((await fetch(configure(place, { key: first.publicKey }), ['--init'])).status, 3);
  });
});

describe('the command line', { concurrency: 3 }, () => {
  for (const [title, args] of [
    ['--name value', ['--key-file', 'KEY', '--output', 'OUT', 'IMAGE', '1.0']],
    ['--name=value', ['--key-file=KEY', '--output=OUT', 'IMAGE', '1.0']],
    ['-n value', ['-f', 'KEY', '-o', 'OUT', 'IMAGE', '1.0']],
    ['-nvalue', ['-fKEY', '-oOUT', 'IMAGE', '1.0']],
    ['options behind the arguments', ['IMAGE', '1.0', '-o', 'OUT', '-f', 'KEY']],
    ['options between the arguments', ['IMAGE', '-o', 'OUT', '1.0', '-fKEY']],
    ['a double dash before the arguments', ['-o', 'OUT', '-fKEY', '--', 'IMAGE', '1.0']],
    ['a double dash between the arguments', ['-o', 'OUT', '-fKEY', 'IMAGE', '--', '1.0']],
    [
      'an option twice, of which the last counts',
      ['-o', '/nonexistent', '-f', '/dev/null', '-fKEY', '-oOUT', 'IMAGE', '1.0'],
    ],
  ] as const) {
    it(`takes ${title}`, async (t) => {
      const place = newPlace(t);
      const values: Record<string, string> = { KEY: place.keyFile, OUT: place.server, IMAGE: image(place) };
      const words = args.map((word) => word.replace(/KEY|OUT|IMAGE/, (name) => values[name] ?? name));
      const { status, stderr } = await runTako(['store', ...words]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(fs.readFileSync(join(place.server, 'manifest')), manifestOf({ '1.0': 'content\n' }));
    });
  }

  it('takes what follows a double dash as it is: a version that begins with a dash, a file called --init', async (t) => {
    const place = newPlace(t);
    assert.equal((await storeAs(place, '-1')).status, 0);
    const config = configure(place, { name: '--init' });
    const { status, stdout } = await runTako(['fetch', '--', '--init'], { cwd: place.root });
    assert.deepEqual([status, stdout.split(':')[0]], [0, '--init'], config);
  });

  it('takes --init anywhere, for all configurations', async (t) => {
    const place = newPlace(t);
    provision(place.destination, { '1.0': 'content\n' }, '1.0');
    const origin = await closedOrigin();
    const one = configure(place, { origin, name: 'one' });
    const two = configure(place, { origin, name: 'two' });
    for (const words of [
      ['--init', one, two],
      [one, '--init', two],
      [one, two, '--init'],
      [one, two, '--init-only'],
    ]) {
      assert.equal((await runTako(['fetch', ...words])).status, 0, words.join(' '));
    }
  });

  for (const [title, args] of [
    ['a value that looks like an option', ['store', '-k', '--foo', '-o', 'x', 'image', '1.0']],
    ['a long option with a value that looks like an option', ['store', '--output', '-k', 'key', 'image', '1.0']],
    ['a lone dash', ['store', '-', '-o', 'x']],
    ['a lone dash as a value', ['store', '-o', '-', 'image', '1.0']],
    ['an unknown option', ['fetch', '--frobnicate', 'config']],
    ['a value for an option that has none', ['fetch', '--init=x']],
    ['an option without its value', ['store', 'image', '1.0', '-o']],
    ['an unknown command', ['frobnicate']],
    ['fetch without a configuration', ['fetch']],
    ['fetch --init without a configuration', ['fetch', '--init']],
    ['store with one argument', ['store', '-k', 'key', '-o', 'x', 'image']],
    ['store with three arguments', ['store', '-k', 'key', '-o', 'x', 'image', '1.0', 'more']],
    ['store without a directory', ['store', '-k', 'key', 'image', '1.0']],
    ['store --remove-image with an image', ['store', '--remove-image', '1.0', '-o', 'x', 'image']],
    ['gen-key with an argument', ['gen-key', 'more']],
    ['sign without --rotate', ['sign', '-o', 'x', '-k', 'key']],
    ['an argument behind the help', ['-h', 'store', 'more']],
    ['an argument behind the help of a command', ['store', '--help', 'more']],
    ['a number that is none', ['fetch', '--retry', 'many', 'config']],
    ['a time that is none', ['fetch', '--lock-timeout', 'soon', 'config']],
    ['an unknown way of progress', ['fetch', '--progress', 'loud', 'config']],
    ['--init together with --stage', ['fetch', '--init', '--stage', 'config']],
  ] as const) {
    it(`answers ${title} with status 2, on standard error alone`, async (t) => {
      const { status, stdout, stderr } = await runTako(args, { cwd: newPlace(t).root });
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^tako: /);
    });
  }

  it('without a command prints the usage on standard error, status 2', async () => {
    const { status, stdout, stderr } = await runTako([]);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^Usage: tako /);
  });

  for (const args of [['-h'], ['--help']]) {
    it(`answers ${args.join(' ')} with the usage, the commands, status 0`, async () => {
      const { status, stdout, stderr } = await runTako(args);
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /^Usage: tako /);
      for (const name of ['fetch', 'store', 'gen-key', 'status', 'rollback'])
        assert.match(stdout, new RegExp(`^ +${name} `, 'm'));
    });
  }
  for (const args of [
    ['-h', 'store'],
    ['--help', 'store'],
    ['store', '-h'],
    ['store', '--help'],
    ['store', '-o', 'x', '--help'],
  ]) {
    it(`answers ${args.join(' ')} with the usage of store, status 0`, async () => {
      const { status, stdout } = await runTako(args);
      assert.equal(status, 0);
      assert.match(stdout, /^Usage: tako store /);
      for (const part of ['--key-file', '--output', 'Examples:', 'Exit status:', '130'])
        assert.ok(stdout.includes(part), part);
    });
  }
  it('says that there is no help for an unknown command, status 0', async () => {
    const { status, stdout, stderr } = await runTako(['-h', 'frobnicate']);
    assert.equal(status, 0);
    assert.match(stdout + stderr, /frobnicate/);
  });
  it('answers --version with the version alone', async () => {
    const { version } = JSON.parse(fs.readFileSync(join(TAKO, '../../../../../package.json'), 'utf8')) as {
      version: string;
    };
    const { status, stdout, stderr } = await runTako(['--version']);
    assert.deepEqual([status, stdout, stderr], [0, `${version}\n`, '']);
  });
});

describe('a directory of the original program', { concurrency: 3 }, () => {
  it('that publishes is carried on, whatever that program left in it', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0.0': 'hello\n' });
    put(join(place.server, 'manifest.new'), 'half a mani', 0o444);
    put(join(place.server, 'store', `${sha256('content\n')}.new`), 'cont', 0o444);
    assert.equal((await storeAs(place, '1.1')).status, 0);
    assert.deepEqual(
      fs.readFileSync(join(place.server, 'manifest')),
      manifestOf({ '1.0.0': 'hello\n', '1.1': 'content\n' }),
    );
  });

  it('that fetches is carried on; its leftovers go when they are older than a day', async (t) => {
    const place = newPlace(t);
    provision(place.destination, { '1.0.0': 'hello\n' }, '1.0.0');
    const young = [`store/${sha256('young')}.new`];
    const old = ['manifest.new', `store/${sha256('old')}.new`];
    for (const name of [...young, ...old]) put(join(place.destination, name), 'half', 0o444);
    for (const name of old) fs.utimesSync(join(place.destination, name), 0, Date.now() / 1000 - 2 * 86_400);
    const manifest = publish(place.server, { '1.0.0': 'hello\n', '1.1': 'content\n' });
    await fetched(configure(place));
    assert.equal(linked(place.destination), 'content\n');
    assert.deepEqual(fs.readFileSync(join(place.destination, 'manifest')), manifest);
    const names = Object.keys(tree(place.destination, { own: false }));
    const images = [sha256('hello\n'), sha256('content\n')].map((name) => `store/${name}`);
    assert.deepEqual(names, ['.', 'latest', 'manifest', 'store', ...[...images, ...young].sort()]);
  });
  it('that fetches is carried on with a young manifest.new of its own beside', async (t) => {
    const place = newPlace(t);
    put(join(place.destination, 'manifest.new'), 'half', 0o444);
    publish(place.server, { '1.0.0': 'hello\n' });
    await fetched(configure(place));
    assert.equal(linked(place.destination), 'hello\n');
    assert.equal(fs.readFileSync(join(place.destination, 'manifest.new'), 'latin1'), 'half');
  });

  it('finds what ours has fetched as it would have left it: the received manifest, 444, a relative link', async (t) => {
    const place = newPlace(t);
    const manifest = publish(place.server, { '1.0': 'hello\n' });
    await fetched(configure(place));
    assert.deepEqual(fs.readFileSync(join(place.destination, 'manifest')), manifest);
    const names = tree(place.destination, { own: false });
    assert.deepEqual(Object.keys(names), ['.', 'latest', 'manifest', 'store', `store/${HELLO}`]);
    assert.match(names['latest'] ?? '', new RegExp(`-> store/${HELLO}$`));
    for (const name of ['manifest', `store/${HELLO}`]) assert.match(names[name] ?? '', /^444 0 /);
  });

  it('with an empty manifest and no image is begun anew, with a warning', async (t) => {
    const place = newPlace(t);
    put(join(place.destination, 'manifest'), '', 0o444);
    publish(place.server, { '1.0': 'hello\n' });
    const { status, stderr } = await fetch(configure(place));
    assert.equal(status, 0);
    assert.match(stderr, /manifest is empty/);
    assert.equal(linked(place.destination), 'hello\n');
  });
  it('with an empty manifest and an image is not trusted: the rollback protection would be lost', async (t) => {
    const place = newPlace(t);
    provision(place.destination, { '1.0': 'hello\n' }, '1.0');
    put(join(place.destination, 'manifest'), '', 0o444);
    publish(place.server, { '1.0': 'hello\n' });
    const { status, result, code } = await fetch(configure(place));
    assert.deepEqual([status, code], [1, 'INVALID_MANIFEST']);
    assert.match(result.error?.message ?? '', /local/);
  });

  it('can be used as an origin: a destination is a mirror', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'hello\n' });
    await fetched(configure(place));
    const mirrored = join(place.root, 'second');
    fs.mkdirSync(mirrored);
    const config = configure(place, { origin: `file://${place.destination}`, destination: mirrored, name: 'mirrored' });
    await fetched(config);
    assert.equal(linked(mirrored), 'hello\n');
  });

  it('can have a configuration with CRLF, comments, no newline at its end and a slash behind the destination', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'hello\n' });
    const config = join(place.root, 'app');
    const lines = [
      '# comment',
      '; comment',
      '',
      `Origin=${place.origin.slice(0, -1)}`,
      `PublicKey=${ALICE.publicText}`,
    ];
    put(config, [...lines, 'Version=1.*', `Destination=${place.destination}/`].join('\r\n'));
    await fetched(config);
    assert.equal(linked(place.destination), 'hello\n');
  });

  it('can have a configuration with paths relative to the working directory', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'hello\n' });
    configure(place, { destination: 'host' });
    const { status, stdout } = await runTako(['fetch', 'app'], { cwd: place.root });
    assert.deepEqual([status, stdout], [0, 'app: installed 1.0 (6 B fetched)\n']);
  });

  it('chooses the candidate by version order, not by the order of the file', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '2.0': 'two', '1.0': 'one' });
    await fetched(configure(place));
    assert.equal(linked(place.destination), 'two');
  });
  it('takes pre-releases for a wildcard, and not for bounds', async (t) => {
    for (const [version, expected] of [
      ['1.*', '1.6-alpha'],
      ['1.0 <= v < 1.6', '1.5'],
      ['1.5', '1.5'],
    ] as const) {
      const place = newPlace(t);
      publish(place.server, { '1.5': '1.5', '1.6-alpha': '1.6-alpha', '2.0-beta': '2.0-beta' });
      await fetched(configure(place, { version }));
      assert.equal(linked(place.destination), expected);
    }
  });
});

/** The conventions of every document: camelCase keys, digests `sha256:HEX`, times in RFC 3339 UTC. */
function assertConventions(value: unknown, name = 'document'): void {
  if (Array.isArray(value)) {
    for (const [i, each] of value.entries()) assertConventions(each, `${name}[${i}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      assert.match(key, /^[a-z][A-Za-z0-9]*$/, `${name}.${key}`);
      if (/digest$/i.test(key) && each !== null) assert.match(String(each), /^sha256:[0-9a-f]{64}$/, `${name}.${key}`);
      if (/At$|^at$/.test(key) && each !== null) {
        assert.match(String(each), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, `${name}.${key}`);
      }
      assertConventions(each, `${name}.${key}`);
    }
  }
}

describe('--json', { concurrency: 3 }, () => {
  /** A host with 1.0 and 1.1 stored, 1.1 linked. */
  async function updated(t: TestContext): Promise<{ place: Place; config: string }> {
    const place = newPlace(t);
    const config = configure(place);
    for (const version of ['1.0', '1.1']) {
      await store(place, `content ${version}`, version);
      await fetched(config);
    }
    return { place, config };
  }

  it('prints one document per command, with its schema first, and nothing else on standard output', async (t) => {
    const { place, config } = await updated(t);
    const { server, keyFile } = place;
    put(join(place.root, 'new.key'), BERTA.secretText, 0o600);
    const file = image(place, 'content 1.2');
    const commands: readonly (readonly [string, readonly string[]])[] = [
      ['tako.fetch/1', ['fetch', config]],
      ['tako.fetch/1', ['fetch', '--init', config]],
      ['tako.fetch/1', ['fetch', '--dry-run', config]],
      ['tako.apply/1', ['apply', config]],
      ['tako.status/1', ['status', config]],
      ['tako.list/1', ['list', config]],
      ['tako.history/1', ['history', config]],
      ['tako.verify/1', ['verify', config]],
      ['tako.gc/1', ['gc', config]],
      ['tako.rollback/1', ['rollback', config]],
      ['tako.hold/1', ['hold', config]],
      ['tako.unhold/1', ['unhold', config]],
      ['tako.gen-key/1', ['gen-key']],
      ['tako.store/1', ['store', '-f', keyFile, '-o', server, file, '1.2']],
      ['tako.remove-image/1', ['store', '--remove-image', '1.2', '-o', server]],
      ['tako.check-server/1', ['check-server', '--public-key', ALICE.publicText, server]],
      [
        'tako.sign/1',
        ['sign', '--rotate', '--old-public-key', ALICE.publicText, '-f', join(place.root, 'new.key'), '-o', server],
      ],
    ];
    for (const [schema, args] of commands) {
      const { status, document, stdout, stderr } = await takoJson(args);
      assert.deepEqual([status, Object.entries(document)[0]], [0, ['schema', schema]], stderr);
      assert.ok(stdout.endsWith('}\n'));
      assertConventions(document, schema);
    }
  });

  it('tells of a fetch the same facts in every outcome', async (t) => {
    const { place, config } = await updated(t);
    await store(place, 'content 2.0', '2.0');
    const result = await fetched(config);
    assert.deepEqual(result, {
      config,
      outcome: 'updated',
      version: '2.0',
      digest: `sha256:${sha256('content 2.0')}`,
      size: 11,
      previousVersion: '1.1',
      newestVersion: '2.0',
      bytes: 11,
      restarted: [],
      reloaded: [],
      removed: [],
      error: null,
    });
    const again = await fetched(config);
    assert.deepEqual([again.outcome, again.bytes, Object.keys(again)], ['unchanged', 0, Object.keys(result)]);
  });

  it('prints error/1 for a failure, with the code, and the words on standard error too', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'content\n' });
    for (const [status, code, args] of [
      [2, 'USAGE', ['fetch']],
      [2, 'USAGE', ['--bogus']],
      [1, 'UNKNOWN_VERSION', ['store', '--remove-image', '7', '-o', place.server]],
      [1, 'NO_MANIFEST', ['rollback', configure(place)]],
      [1, 'NO_CONFIG', ['list', join(place.root, 'missing')]],
    ] as const) {
      const answer = await takoJson<ErrorDocument & { schema: string }>(args);
      const { schema, ...fields } = answer.document;
      assert.deepEqual([answer.status, schema, fields.code], [status, 'error/1', code], answer.stderr);
      assert.deepEqual(Object.keys(fields), ['code', 'message', 'hint', 'subject']);
      assert.ok(answer.stderr.includes(fields.message), answer.stderr);
    }
  });

  it('places the error of one configuration among the results of the others', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'content\n' });
    const good = configure(place);
    const bad = join(place.root, 'missing');
    const { status, document } = await takoJson<{
      schema: string;
      results: { config: string; error: ErrorDocument | null }[];
    }>(['fetch', bad, good]);
    assert.deepEqual([status, document.schema], [1, 'tako.fetch/1']);
    assert.deepEqual(
      document.results.map(({ config, error }) => [config, error?.code]),
      [
        [bad, 'NO_CONFIG'],
        [good, undefined],
      ],
    );
  });
});

describe('an exit status', { concurrency: 3 }, () => {
  it('of several subjects is the worst of theirs: refused before failed before temporary before done', async (t) => {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'content\n' });
    const elsewhere = (name: string): string => {
      const destination = join(place.root, `of ${name}`);
      fs.mkdirSync(destination);
      return destination;
    };
    const make = (name: string, settings: Parameters<typeof configure>[1]): string =>
      configure(place, { ...settings, name, destination: elsewhere(name) });
    const done = make('done', {});
    const temporary = make('temporary', { origin: await closedOrigin() });
    const failed = make('failed', { origin: `file://${place.root}/nowhere/` });
    const refused = make('refused', { key: MALLORY.publicText });
    for (const [configs, expected] of [
      [[done], 0],
      [[done, temporary], 4],
      [[temporary, failed, done], 1],
      [[refused, failed, temporary], 3],
      [[temporary, refused], 3],
    ] as const) {
      const { status, stdout } = await runTako(['fetch', ...configs]);
      assert.equal(status, expected, configs.join(' '));
      assert.equal(stdout !== '', (configs as readonly string[]).includes(done));
    }
  });

  it('of a file system that fails is 1, and the message names the file', async (t) => {
    const place = newPlace(t);
    const { status, document } = await takoJson<{ results: { error: ErrorDocument }[] }>([
      'fetch',
      configure(place, { destination: join(place.root, 'missing') }),
    ]);
    const error = document.results[0]?.error;
    assert.deepEqual([status, error?.code], [1, 'NO_DIRECTORY']);
    assert.match(error?.message ?? '', /missing/);
    assert.match(error?.hint ?? '', /^mkdir /);
  });
});

describe('a secret', { concurrency: 3 }, () => {
  const PASSWORD = 'hush0815';

  it('in the URL of an origin is sent to that origin, and appears nowhere else', async (t) => {
    const place = newPlace(t);
    const manifest = publish(place.server, { '1.0': 'content\n' });
    const server = await startHostileServer({ files: place.server });
    t.after(() => server.close());
    const config = configure(place, { origin: server.url.replace('//', `//user:${PASSWORD}@`), mode: 0o600 });
    const said: string[] = [];
    const how = { env: { TAKO_DEBUG: '1' } };
    for (const args of [
      ['fetch', '-v', config],
      ['fetch', '--json', config],
      ['status', '--json', config],
      ['status', '--refresh', config],
      ['list', config],
      ['fetch', '-v', '--metrics', join(place.root, 'metrics'), config],
    ]) {
      const { status, stdout, stderr } = await runTako(args, how);
      assert.equal(status, 0, stderr);
      said.push(stdout, stderr);
    }
    const authorization = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`;
    for (const request of server.requests) assert.equal(request.headers.authorization, authorization);
    server.route('/manifest', [
      { kind: 'status', status: 401 },
      { kind: 'status', status: 500 },
      { kind: 'status', status: 200, body: '<html>' },
      { kind: 'truncate', after: 9, body: manifest, headers: { etag: '"other"' } },
      { kind: 'redirect', to: 'file:///etc/passwd' },
    ]);
    for (let i = 0; i < 5; i++) {
      const { status, stdout, stderr } = await runTako(['fetch', '-v', '--retry', '0', config], how);
      assert.notEqual(status, 0);
      said.push(stdout, stderr);
    }
    await server.close();
    const { stdout, stderr } = await runTako(['fetch', '-v', '--json', config], how);
    said.push(
      stdout,
      stderr,
      JSON.stringify(readState(place.destination)),
      fs.readFileSync(join(place.root, 'metrics'), 'utf8'),
    );
    for (const text of said) assert.ok(!text.includes(PASSWORD) && !text.includes(authorization.slice(6)), text);
  });

  for (const [title, line] of [
    ['an origin of a scheme that is not served', `Origin=ftp://user:${PASSWORD}@127.0.0.1/`],
    ['an origin with a query', `Origin=https://user:${PASSWORD}@127.0.0.1/?x=1`],
    ['an origin with one slash', `Origin=https:/user:${PASSWORD}@127.0.0.1/`],
    ['an origin whose password has a slash in it', `Origin=https://user:x/${PASSWORD}@127.0.0.1/`],
    ['an unknown key', `Orgin=https://user:${PASSWORD}@127.0.0.1/`],
    ['a line in the manner of another format', `Origin: https://user:${PASSWORD}@127.0.0.1/`],
    ['a secret key in the place of the public one', `PublicKey=${ALICE.secretText}`],
  ] as const) {
    it(`is not printed when the configuration is wrong: ${title}`, async (t) => {
      const place = newPlace(t);
      const config = join(place.root, 'app');
      put(config, `${line}\n`, 0o600);
      const { status, stdout, stderr } = await runTako(['fetch', '--json', config], { env: { TAKO_DEBUG: '1' } });
      assert.notEqual(status, 0);
      for (const secret of [PASSWORD, ALICE.secretText.slice(7, 30)])
        assert.ok(!(stdout + stderr).includes(secret), stderr);
    });
  }

  it('on a mistyped command line is not printed', async (t) => {
    const place = newPlace(t);
    for (const args of [
      ['store', `--kye=${ALICE.secretText}`, '-o', place.server, image(place), '1.0'],
      ['store', '-o', place.server, image(place), '1.0', ALICE.secretText],
      ['store', '-f', `--key=${ALICE.secretText}`, '-o', place.server, image(place), '1.0'],
      ['store', '-f', `-k${ALICE.secretText}`, '-o', place.server, image(place), '1.0'],
      ['store', '-k', `${ALICE.secretText}x`, '-o', place.server, image(place), '1.0'],
      ['sign', '--rotate', '--old-public-key', ALICE.secretText, '-o', place.server, '-k', BERTA.secretText],
    ]) {
      const { status, stdout, stderr } = await runTako(args, { env: { TAKO_DEBUG: '1' } });
      assert.ok(status === 1 || status === 2);
      assert.ok(!(stdout + stderr).includes(ALICE.secretText.slice(7, 60)), stderr);
    }
  });

  it('in the variable of a proxy is not printed', async (t) => {
    const place = newPlace(t);
    const config = configure(place, { origin: 'http://tako.test/' });
    const proxy = (await closedOrigin()).replace('//', `//user:${PASSWORD}@`);
    const { status, stdout, stderr } = await runTako(['fetch', '-v', '--retry', '0', config], {
      env: { http_proxy: proxy, TAKO_DEBUG: '1' },
    });
    assert.equal(status, 4, stderr);
    assert.ok(!(stdout + stderr).includes(PASSWORD), stderr);
  });
});

describe('words on standard error', { concurrency: 3 }, () => {
  /** A host whose fetch says something on every level. */
  async function talkative(t: TestContext): Promise<{ place: Place; config: string; missing: string }> {
    const place = newPlace(t);
    publish(place.server, { '1.0': 'content\n' });
    const config = configure(place, { origin: [await closedOrigin(), place.origin] });
    return { place, config, missing: join(place.root, 'missing') };
  }
  /** Under a standard error that is the journal, by all that a program can see. */
  const JOURNAL = 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"';

  it('have priorities in front when they go to the journal', async (t) => {
    const { config, missing } = await talkative(t);
    const { stdout, stderr } = await run('sh', ['-c', JOURNAL, 'sh', process.execPath, TAKO, 'fetch', config, missing]);
    assert.match(stdout, /^\S+app: installed 1.0/, 'results have none');
    const lines = stderr.trimEnd().split('\n');
    for (const line of lines) assert.match(line, /^<[34567]>tako: /);
    assert.ok(
      lines.some((line) => line.startsWith('<4>') && line.includes('127.0.0.1')),
      'the skipped mirror is a warning',
    );
    assert.ok(
      lines.some((line) => line.startsWith('<3>') && line.includes('missing')),
      'the failure is an error',
    );
    assert.ok(
      lines.some((line) => line.startsWith('<6>')),
      'a finished download is information',
    );
  });
  it('have none when JOURNAL_STREAM is of somebody else', async (t) => {
    const { config, missing } = await talkative(t);
    for (const JOURNAL_STREAM of ['1:1', '', 'nonsense']) {
      const { stderr } = await runTako(['fetch', config, missing], { env: { JOURNAL_STREAM } });
      for (const line of stderr.trimEnd().split('\n')) assert.match(line, /^tako: /);
    }
  });

  describe('on a terminal', { skip: needs('script') }, () => {
    const onTerminal = async (words: string, env: Record<string, string>): Promise<string> =>
      (await run('script', ['-qec', words, '/dev/null'], { env: { TERM: 'xterm', ...env } })).stdout;
    const fetchMissing = `'${process.execPath}' '${TAKO}' fetch /nonexistent`;

    it('have colours', async () => {
      assert.ok((await onTerminal(fetchMissing, {})).includes(`${ESC}[31mtako: `));
    });
    for (const [title, words, env] of [
      ['NO_COLOR is set', fetchMissing, { NO_COLOR: '1' }],
      ['--no-color is given', `${fetchMissing} --no-color`, {}],
      ['the terminal is dumb', fetchMissing, { TERM: 'dumb' }],
    ] as const) {
      it(`have none when ${title}`, async () => {
        const text = await onTerminal(words, env);
        assert.match(text, /tako: \/nonexistent/);
        assert.doesNotMatch(text, new RegExp(`${ESC}\\[[0-9;]*m`));
      });
    }
    it('show one line of progress, and the result after it', async (t) => {
      const place = newPlace(t);
      publish(place.server, { '1.0': noise(3 << 20) });
      const text = await onTerminal(`stty cols 120; '${process.execPath}' '${TAKO}' fetch '${configure(place)}'`, {});
      assert.match(text, /\r[^\r\n]*image 1\.0: [0-9]+ %[^\r\n]*of 3\.0 MiB/);
      assert.match(text, /installed 1\.0/);
    });
  });
  it('have no colours in a pipe', async () => {
    const { stderr } = await runTako(['fetch', '/nonexistent'], { env: { TERM: 'xterm' } });
    assert.ok(!stderr.includes(ESC));
  });

  it('are warnings and errors alone with --quiet; the result stays', async (t) => {
    const { place, config, missing } = await talkative(t);
    publish(place.server, { '1.0': 'content\n' });
    const quiet = configure(place, { name: 'quiet' });
    const calm = await runTako(['fetch', '--quiet', quiet]);
    assert.deepEqual([calm.stderr, calm.stdout], ['', `${quiet}: installed 1.0 (8 B fetched)\n`]);
    const { stderr } = await runTako(['fetch', '-q', config, missing]);
    assert.match(stderr, /127\.0\.0\.1/);
    assert.match(stderr, /missing/);
  });

  it('are a line per finished download by default, and none with --progress none', async (t) => {
    for (const [mode, expected] of [
      ['auto', 1],
      ['plain', 1],
      ['none', 0],
    ] as const) {
      const place = newPlace(t);
      publish(place.server, { '1.0': 'content\n' });
      const { stderr } = await runTako(['fetch', '--progress', mode, configure(place)]);
      assert.equal(stderr.split('\n').filter((line) => line !== '').length, expected, stderr);
    }
  });

  it('are JSON lines with --progress json, the total known before the first byte', async (t) => {
    const place = newPlace(t);
    const content = noise(3 << 20);
    publish(place.server, { '1.0': content });
    const { stderr, stdout } = await runTako(['fetch', '--progress', 'json', '--json', configure(place)]);
    JSON.parse(stdout);
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [first] = events;
    const task = first?.['task'];
    assert.deepEqual([first?.['event'], first?.['total'], first?.['done']], ['start', content.length, 0]);
    assert.deepEqual(events.at(-1), { event: 'end', task, ok: true });
    for (const event of events.slice(1, -1)) assert.deepEqual([event['event'], event['task']], ['advance', task]);
  });

  it('have a stack only with TAKO_DEBUG=1', async () => {
    const plain = await runTako(['fetch', '/nonexistent']);
    assert.doesNotMatch(plain.stderr, /\n.* at /);
    const loud = await runTako(['list', '/nonexistent'], { env: { TAKO_DEBUG: '1' } });
    assert.match(loud.stderr, / at /);
  });

  it('show what comes from outside without acting on the terminal', async (t) => {
    const place = newPlace(t);
    const body = 'hello\n';
    const evil = `${ESC}\u0007\u202e\u009b`;
    publish(place.server, { '1.0': body });
    put(join(place.server, 'manifest'), sealLines([`9${evil} ${body.length} ${sha256(body)}`]), 0o444);
    const config = configure(place);
    for (const args of [
      ['fetch', config],
      ['status', config],
      ['list', config],
      ['history', config],
      ['check-server', place.server],
    ]) {
      const { stdout, stderr } = await runTako(args);
      for (const character of evil) assert.ok(!(stdout + stderr).includes(character), args.join(' '));
    }
  });
  it('show what a server answers without acting on the terminal', async (t) => {
    const place = newPlace(t);
    const evil = `${ESC}]0;evil\u0007`;
    const server = await startHostileServer();
    t.after(() => server.close());
    const config = configure(place, { origin: server.url });
    for (const behaviour of [
      { kind: 'status', status: 403, body: `no ${evil}` },
      { kind: 'status', status: 200, body: `Tako Manifest 1\n\n${evil}\n` },
      { kind: 'status', status: 200, body: evil },
    ] as const) {
      server.route('/manifest', behaviour);
      const { status, stdout, stderr } = await runTako(['fetch', config]);
      assert.equal(status, 1);
      assert.ok(!(stdout + stderr).includes(ESC), stderr);
    }
  });
});

describe('a reader that has gone', () => {
  it('is nothing that the work cares about', async (t) => {
    const place = newPlace(t);
    await store(place, 'one\n', '1.0');
    const config = configure(place);
    const command = `"$0" "$@" | true; echo "status \${PIPESTATUS[0]}"`;
    for (const words of [['fetch', config], ['status', config], ['status', '--json', config], ['--help']]) {
      const { stdout, stderr } = await run('bash', ['-c', command, process.execPath, TAKO, ...words]);
      assert.match(stdout, /status 0/, words.join(' '));
      assert.doesNotMatch(stderr, /EPIPE|at .*:[0-9]+/, words.join(' '));
    }
    assert.equal(linked(place.destination), 'one\n');
  });
});
