/** The documents against the code: nothing that users meet is without a page, and no link leads nowhere. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { CodedError } from '../src/base/error.ts';
import { pathOf } from '../src/cli/command-table.ts';
import { statusOf } from '../src/cli/exit-status.ts';
import { osContainersProgram } from '../src/cli/os-containers/definition.ts';
import { ostreeContainerProgram } from '../src/cli/ostree-container/definition.ts';
import { takoProgram } from '../src/cli/tako/definition.ts';
import { CHECKOUT } from './support/program.ts';

const DOCS = join(CHECKOUT, 'docs');
/** What every command has is explained once. */
const COMMON: ReadonlySet<string> = new Set(['--json', '--progress', '--quiet', '--verbose', '--no-color', '--help']);

/** Pages with options of several commands, by the link that leads there. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  'tako-fetch.md#options': ['tako-fetch.md'],
  'images.md#options': ['ostree-container/images.md', 'tako-fetch.md'],
  'settings.md#options': ['os-containers/settings.md'],
};

const read = (path: string): string => readFileSync(path, 'utf8');

function filesBelow(directory: string, ending: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(directory, name));
}

const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md'].map((name) => join(CHECKOUT, name)),
  ...filesBelow(DOCS, '.md'),
];

const withoutCode = (page: string): string => page.replace(/^```.*?^```$/gms, '');

/** The names of its headings as web pages make them: lower case, words with hyphens, no punctuation. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function brokenLinks(path: string): readonly string[] {
  const links = [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.flatMap((target) => {
    if (/^https?:/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const found = file === '' ? path : normalize(join(dirname(path), file));
    const isThere = existsSync(found) && (anchor === undefined || anchorsOf(read(found)).has(anchor));
    return isThere ? [] : [`${relative(CHECKOUT, path)}: ${target}`];
  });
}

function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

/** `tako-fetch.md`, `ostree-container/repo-remote.md` for all of `repo remote`. */
function pageOf(command: Command): string {
  const [program = '', ...words] = pathOf(command).split(' ');
  if (program === 'tako') return words[0] === 'unhold' ? 'tako-hold.md' : `tako-${words.join('-')}.md`;
  if (program === 'os-containers' && words[0] === 'containers') return join(program, 'list.md');
  return join(program, `${words.slice(0, 2).join('-')}.md`);
}

describe('the documents', () => {
  it('have no link that leads nowhere', () => {
    assert.deepEqual(PAGES.flatMap(brokenLinks), []);
  });

  it('are all reached from docs/index.md, decisions from their own list', () => {
    const listed = `${read(join(DOCS, 'index.md'))}${read(join(DOCS, 'decisions', 'README.md'))}`;
    const lost = filesBelow(DOCS, '.md')
      .map((path) => relative(DOCS, path))
      .filter((page) => page !== 'index.md' && !listed.includes(`(${page.replace(/^decisions\/(README\.md)?/, '')}`));
    assert.deepEqual(lost, []);
  });

  it('explain every error code', () => {
    const sources = filesBelow(join(CHECKOUT, 'src'), '.ts').filter((path) => !/\.(test|fixture)\.ts$/.test(path));
    const codes = sources.flatMap((path) => {
      const text = read(path);
      const unions = [...text.matchAll(/type \w+ErrorCode =([^;]*);/g)].flatMap(([, union = '']) => [
        ...union.matchAll(/'([A-Z_]+)'/g),
      ]);
      return [...unions, ...text.matchAll(/new \w+Error\(\s*'([A-Z_]{3,})'/g)].map(([, code = '']) => code);
    });
    const page = `${read(join(DOCS, 'errors.md'))}`;
    const missing = [...new Set(codes)].filter((code) => !page.includes(`\`${code}\``));
    assert.ok(codes.length > 100);
    assert.deepEqual(missing.sort(), []);
  });

  it('give each error code the status that programs end with', () => {
    const rows = [...read(join(DOCS, 'errors.md')).matchAll(/^\| (`[A-Z_`, ]+`) \| ([0-9]) \|/gm)];
    const told = rows.flatMap(([, codes = '', status]) =>
      [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => ({ code, status: Number(status) })),
    );
    assert.ok(told.length > 100);
    const wrong = told.filter(({ code, status }) => statusOf(new CodedError(code, 'x')) !== status);
    assert.deepEqual(wrong, []);
  });

  it('tell of every document that a command prints', () => {
    const pages = PAGES.map(read).join('\n');
    const sources = filesBelow(join(CHECKOUT, 'src', 'cli'), '.ts').filter((path) => !path.endsWith('.test.ts'));
    const schemas = sources.flatMap((path) =>
      [...read(path).matchAll(/'((?:tako|ostree-container|os-containers)\.[a-z-]+\/[0-9]+)'/g)].map(
        ([, schema = '']) => schema,
      ),
    );
    assert.ok(schemas.length > 30);
    const isTold = (schema: string): boolean =>
      pages.includes(schema) || /^ostree-container\.repo-(remote|delta)-/.test(schema);
    assert.deepEqual(
      [...new Set(schemas)].filter((schema) => !isTold(schema)),
      [],
    );
  });

  it('have a page for each command, with each of its options, that ends with why it is so', async () => {
    const programs = [await takoProgram(), await ostreeContainerProgram(), await osContainersProgram()];
    const commands = programs.flatMap(leaves);
    const faults = commands.flatMap((command) => {
      const path = join(DOCS, pageOf(command));
      if (!existsSync(path)) return [`${pathOf(command)}: no page`];
      const page = read(path);
      const own = command.options.map(({ long }) => long ?? '').filter((long) => !COMMON.has(long));
      // Options of the network and of registries are told once for all commands.
      const shared = Object.entries(SHARED).flatMap(([link, pages]) => (page.includes(link) ? pages : []));
      const told = [page, ...shared.map((name) => read(join(DOCS, name)))].join('\n');
      const untold = own.filter((long) => !new RegExp(`${long}(?![a-z-])`).test(told));
      const last = [...page.matchAll(/^## (.*)$/gm)].at(-1)?.[1];
      return [
        ...untold.map((long) => `${pathOf(command)}: ${long}`),
        ...(last === 'Why it is so' ? [] : [`${pathOf(command)}: ends with "${last}"`]),
      ];
    });
    assert.deepEqual(faults, []);
  });

  it('tell of no option of os-containers that is not there, and show each usage as it is', async () => {
    const faults = leaves(await osContainersProgram()).flatMap((command) => {
      const page = read(join(DOCS, pageOf(command)));
      const cells = [...page.matchAll(/^\| (`-[^|]*) \|/gm)].map(([, cell = '']) => cell);
      const options = cells.flatMap((cell) => cell.match(/--[a-z-]+/g) ?? []);
      const known = new Set([...COMMON, ...command.options.map(({ long }) => long ?? '')]);
      const usage = page.match(/(?<=^```text\n)os-containers .*/m)?.[0];
      const shown = `${pathOf(command)} ${command.usage()}`;
      const isShown = usage === shown || ['update', 'containers'].includes(pathOf(command).split(' ')[1] ?? '');
      return [
        ...options.filter((long) => !known.has(long)).map((long) => `${pathOf(command)}: ${long}`),
        ...(isShown ? [] : [`${usage} is ${shown}`]),
      ];
    });
    assert.deepEqual(faults, []);
  });
});
