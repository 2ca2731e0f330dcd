import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { scratch } from '../../../test/support/scratch.ts';
import { type Config, parseConfig } from '../config/config.ts';
import { PUBLIC_TEXT } from '../manifest/manifest.fixture.ts';
import type { Result } from './advance.ts';
import { type Answer, fetchAll } from './fetch-all.ts';

function config(path: string, destination: string): Config {
  const text = `Origin=https://example.com/\nPublicKey=${PUBLIC_TEXT}\nVersion=*\nDestination=${destination}\n`;
  return parseConfig(Buffer.from(text), path);
}

/** Destinations of their own, a, b, c ... */
function configs(t: TestContext, count: number): Config[] {
  const root = scratch(t);
  return Array.from({ length: count }, (_, i) => {
    const name = String.fromCharCode(97 + i);
    fs.mkdirSync(join(root, name));
    return config(name, join(root, name));
  });
}

const done = (removed: string): Result => ({
  outcome: 'unchanged',
  entry: undefined,
  previous: undefined,
  newest: undefined,
  published: [],
  bytes: 0,
  restarted: [],
  reloaded: [],
  removed: [removed],
});

/** Work that goes on until it is let go. */
class Workshop {
  readonly begun: string[] = [];
  readonly #running = new Map<string, (failed: Error | undefined) => void>();

  readonly fetch = ({ path }: Config): Promise<Result> => {
    this.begun.push(path);
    return new Promise((resolve, reject) => {
      this.#running.set(path, (error) => (error === undefined ? resolve(done(path)) : reject(error)));
    });
  };

  async end(path: string, failed?: Error): Promise<void> {
    (this.#running.get(path) ?? assert.fail(`${path} is not running`))(failed);
    this.#running.delete(path);
    for (let i = 0; i < 3; i++) await turn();
  }
}

/** Collects answers as they are handed out. */
function collect(answers: AsyncIterable<Answer>): string[] {
  const got: string[] = [];
  void (async () => {
    for await (const answer of answers)
      got.push(answer.ok ? (answer.result.removed[0] ?? '') : String((answer.error as Error).message));
    got.push('end');
  })();
  return got;
}

describe('fetching several configurations', () => {
  it('hands answers out in the order of the configurations, each as soon as those before it are there', async (t) => {
    const shop = new Workshop();
    const got = collect(fetchAll(configs(t, 3), shop.fetch));
    await turn();
    assert.deepEqual(shop.begun, ['a', 'b', 'c']);
    await shop.end('c');
    assert.deepEqual(got, []);
    await shop.end('a');
    assert.deepEqual(got, ['a']);
    await shop.end('b');
    assert.deepEqual(got, ['a', 'b', 'c', 'end']);
  });

  it('of which one fails goes on with the others', async (t) => {
    const shop = new Workshop();
    const got = collect(fetchAll(configs(t, 3), shop.fetch));
    await turn();
    await shop.end('b', new Error('no'));
    await shop.end('a');
    await shop.end('c');
    assert.deepEqual(got, ['a', 'no', 'c', 'end']);
  });

  it('has at most four at work', async (t) => {
    const shop = new Workshop();
    const got = collect(fetchAll(configs(t, 6), shop.fetch));
    await turn();
    assert.deepEqual(shop.begun, ['a', 'b', 'c', 'd']);
    await shop.end('c', new Error('no'));
    assert.deepEqual(shop.begun, ['a', 'b', 'c', 'd', 'e']);
    await shop.end('a');
    assert.deepEqual(shop.begun, ['a', 'b', 'c', 'd', 'e', 'f']);
    for (const path of ['f', 'e', 'd', 'b']) await shop.end(path);
    assert.deepEqual(got, ['a', 'b', 'no', 'd', 'e', 'f', 'end']);
  });

  it('lets two of one destination take turns, whatever they call it', async (t) => {
    const [a, b] = configs(t, 2);
    if (a === undefined || b === undefined) return assert.fail();
    fs.symlinkSync(a.destination, `${a.destination}-link`);
    const shop = new Workshop();
    const got = collect(
      fetchAll([a, config('a2', `${a.destination}/`), config('a3', `${a.destination}-link`), b], shop.fetch),
    );
    await turn();
    assert.deepEqual(shop.begun, ['a', 'b']);
    await shop.end('a', new Error('no'));
    assert.deepEqual(shop.begun, ['a', 'b', 'a2']);
    await shop.end('a2');
    await shop.end('a3');
    await shop.end('b');
    assert.deepEqual(got, ['no', 'a2', 'a3', 'b', 'end']);
  });

  it('does not let those that wait for their turn keep others from working', async (t) => {
    const [a, ...others] = configs(t, 4);
    if (a === undefined) return assert.fail();
    const shop = new Workshop();
    const same = ['a2', 'a3', 'a4', 'a5'].map((path) => config(path, a.destination));
    collect(fetchAll([a, ...same, ...others], shop.fetch));
    await turn();
    assert.deepEqual(shop.begun.sort(), ['a', 'b', 'c', 'd']);
  });

  it('begins those whose destination does not exist: they fail by themselves', async () => {
    const shop = new Workshop();
    const got = collect(fetchAll([config('x', '/nonexistent/x'), config('y', '/nonexistent/x')], shop.fetch));
    await turn();
    await shop.end('x', new Error('none'));
    await shop.end('y', new Error('none'));
    assert.deepEqual(got, ['none', 'none', 'end']);
  });

  it('of which one has a destination that cannot be looked at goes on with the others', async (t) => {
    const [a, b] = configs(t, 2);
    if (a === undefined || b === undefined) return assert.fail();
    fs.writeFileSync(`${a.destination}-file`, '');
    const shop = new Workshop();
    const odd = [config('x', `${a.destination}-file/below`), config('y', `/${'n'.repeat(300)}`)];
    const got = collect(fetchAll([a, ...odd, b], shop.fetch));
    await turn();
    assert.deepEqual(shop.begun, ['a', 'x', 'y', 'b']);
    for (const path of ['a', 'x', 'y', 'b']) await shop.end(path);
    assert.deepEqual(got, ['a', 'x', 'y', 'b', 'end']);
  });

  it('of which there are none ends at once', async () => {
    const got = collect(fetchAll([], () => assert.fail()));
    await turn();
    assert.deepEqual(got, ['end']);
  });
});
