/** Who may import whom: section 3 of the design as data, and every import of `src/` held against it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { describe, it } from 'node:test';

/** From the ground up; a domain imports from rows below its own, never sideways or up. */
const ROWS: readonly (readonly string[])[] = [
  ['base', 'linux'],
  ['tar', 'gvariant', 'compression', 'version'],
  ['http', 'trust'],
  ['oci', 'ostree'],
  ['registry', 'systemd', 'runtime'],
  ['images', 'layers'],
  ['tako', 'system-containers', 'ostree-container'],
  ['cli'],
];

/** What each domain may import besides `base` and `linux`, which are open to all but themselves (see GROUND). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  linux: [],
  gvariant: [],
  tar: [],
  compression: [],
  version: [],
  http: [],
  trust: [],
  oci: ['tar', 'compression'],
  ostree: ['gvariant', 'tar', 'compression', 'http', 'trust'],
  registry: ['http', 'oci'],
  systemd: [],
  runtime: ['oci'],
  images: ['oci', 'registry', 'trust', 'http'],
  layers: ['oci', 'ostree', 'tar'],
  tako: ['version', 'http', 'systemd', 'trust'],
  'system-containers': ['oci', 'images', 'layers', 'ostree', 'version', 'systemd', 'runtime'],
  'ostree-container': ['oci', 'images', 'layers', 'ostree', 'gvariant', 'tar', 'compression', 'version', 'trust'],
  cli: ROWS.flat().filter((domain) => domain !== 'cli'),
};

/** Any file of theirs may be imported, not only their index. */
const OPEN = ['base', 'linux'];
/** What the ground itself stands on. */
const GROUND: Readonly<Record<string, readonly string[]>> = { base: [], linux: ['base'] };
/** Packages that only one domain may import. */
const OWNERS: Readonly<Record<string, string>> = { undici: 'http', koffi: 'linux', openpgp: 'trust', commander: 'cli' };
/** Folders of `cli` that are a program each; what they share lies beside them. */
const PROGRAMS = ['tako', 'os-containers', 'ostree-container'];

interface Import {
  readonly specifier: string | undefined;
  readonly line: number;
}

/** Comments as blanks, so that positions stay; strings and regular expressions are stepped over. */
function withoutComments(text: string): string {
  const token =
    /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=[(,=:[!&|?{};+~^>]\s*|\breturn\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g;
  return text.replace(token, (found) =>
    found.startsWith('/*') || found.startsWith('//') ? found.replace(/[^\n]/g, ' ') : found,
  );
}

/** Every import, re-export, dynamic import and `require` of a file; no specifier when it is not a plain text. */
function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const forms = [
    /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*(?<quoted>'[^'\n]*'|"[^"\n]*")/gm,
    /^[ \t]*import\s*(?<quoted>'[^'\n]*'|"[^"\n]*")/gm,
    /(?<![#.\w])import\s*\(\s*(?<quoted>'[^'\n]*'|"[^"\n]*"|`[^`$]*`(?=\s*[,)]))?/g,
    /(?:\brequire|\bcreateRequire\s*\([^()]*\))\s*\(\s*(?<quoted>'[^'\n]*'|"[^"\n]*"|`[^`$]*`)/g,
    /\bimport\s+\w+\s*=\s*require\s*\(\s*(?<quoted>'[^'\n]*'|"[^"\n]*")/g,
  ];
  for (const form of forms) {
    for (const match of code.matchAll(form)) {
      const quoted = match.groups?.['quoted'];
      const at = quoted === undefined ? match.index : match.index + match[0].lastIndexOf(quoted);
      found.push({ specifier: quoted?.slice(1, -1), line: code.slice(0, at).split('\n').length });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

const isTest = (file: string): boolean => /\.(test|fixture)\.ts$/.test(file);
const domainOf = (file: string): string | undefined => /^src\/([^/]+)\/./.exec(file)?.[1];

/** What is wrong with the imports of one source file, as `file:line: import: why`. */
function violations(file: string, text: string): string[] {
  const domain = domainOf(file);
  if (domain === undefined || MAY_IMPORT[domain] === undefined)
    return [`${file}:1: belongs to no domain of the design`];
  if (isTest(file)) return [];
  return importsOf(text).flatMap(({ specifier, line }) => {
    const why =
      specifier === undefined ? 'is computed: nobody can tell what it imports' : judge(file, domain, specifier);
    return why === undefined ? [] : [`${file}:${line}: ${specifier ?? 'import(...)'}: ${why}`];
  });
}

function judge(file: string, domain: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return judgePackage(domain, specifier);
  const target = posix.join(posix.dirname(file), specifier);
  const other = domainOf(target);
  if (other === undefined) return 'lies outside of src/';
  if (isTest(target)) return 'is for tests';
  if (other === domain) return judgeProgram(file, target);
  const allowed = GROUND[domain] ?? [...OPEN, ...(MAY_IMPORT[domain] ?? [])];
  if (!allowed.includes(other)) return `${domain} may not import ${other}`;
  if (!OPEN.includes(other) && target !== `src/${other}/index.ts`) return `${other} is entered through its index.ts`;
  return undefined;
}

function judgePackage(domain: string, specifier: string): string | undefined {
  if (/^(node:|file:|data:|https?:|\/|#)/.test(specifier)) {
    return specifier.startsWith('node:') ? undefined : 'is neither a package nor a relative path';
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (name === 'tako') return 'is this package itself';
  const owner = OWNERS[name];
  return owner === undefined || owner === domain ? undefined : `only ${owner} imports ${name}`;
}

function judgeProgram(file: string, target: string): string | undefined {
  const program = (path: string): string | undefined => PROGRAMS.find((name) => path.startsWith(`src/cli/${name}/`));
  const [from, to] = [program(file), program(target)];
  if (to === undefined || from === to) return undefined;
  return from === undefined ? `what programs share does not import the program ${to}` : `${from} may not import ${to}`;
}

/** The folder of package.json: this file runs from `test/` and from `dist/test/`. */
function root(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

function sources(): readonly (readonly [file: string, text: string])[] {
  const folder = root();
  return readdirSync(join(folder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [relative(folder, path), readFileSync(path, 'utf8')]);
}

describe('the sources', () => {
  const files = sources();

  it('import only what the table of the design allows', () => {
    const found = files.flatMap(([file, text]) => violations(file, text));
    assert.equal(found.length, 0, `\n${found.join('\n')}`);
  });

  it('are really read: there are many files, and imports of every kind in them', () => {
    const imports = files.flatMap(([, text]) => importsOf(text));
    assert.ok(files.length > 50 && imports.length > 200, `${files.length} files, ${imports.length} imports`);
    for (const part of ['node:fs', 'valibot', './', '../base/', 'undici', 'koffi']) {
      assert.ok(
        imports.some(({ specifier }) => specifier?.startsWith(part)),
        part,
      );
    }
    const loader = files.find(([file]) => file === 'src/linux/calls/koffi.ts')?.[1] ?? '';
    assert.ok(importsOf(loader).some(({ specifier }) => specifier === 'koffi'));
  });

  it('have a door to every domain but the open ones and the programs', () => {
    const domains = new Set(files.map(([file]) => domainOf(file)));
    for (const domain of domains) {
      if (domain === undefined || OPEN.includes(domain) || domain === 'cli') continue;
      assert.ok(
        files.some(([file]) => file === `src/${domain}/index.ts`),
        `src/${domain}/index.ts`,
      );
    }
  });
});

describe('the table of domains', () => {
  const rowOf = (domain: string): number => ROWS.findIndex((row) => row.includes(domain));

  it('names every domain once, in both of its forms', () => {
    assert.deepEqual(Object.keys(MAY_IMPORT).sort(), ROWS.flat().sort());
    assert.equal(new Set(ROWS.flat()).size, ROWS.flat().length);
  });

  it('allows imports from lower rows only', () => {
    for (const [domain, others] of Object.entries(MAY_IMPORT)) {
      for (const other of others) assert.ok(rowOf(other) < rowOf(domain) && rowOf(other) >= 0, `${domain} -> ${other}`);
    }
  });

  it('keeps products apart', () => {
    const products = ['tako', 'system-containers', 'ostree-container'];
    for (const product of products) for (const other of products) assert.ok(!MAY_IMPORT[product]?.includes(other));
  });
});

describe('the check of imports', () => {
  /** The lines of a bad file that are named. */
  const linesOf = (file: string, text: string): number[] =>
    violations(file, text).map((found) => Number(found.split(':')[1]));

  for (const [what, file, text] of [
    ['a domain that is not allowed', 'src/tako/x.ts', "import { a } from '../ostree/index.ts';"],
    ['a domain above', 'src/version/x.ts', "import { a } from '../tako/index.ts';"],
    ['a domain beside', 'src/tako/x.ts', "import { a } from '../system-containers/index.ts';"],
    ['a file behind the door of a domain', 'src/tako/x.ts', "import { a } from '../http/send.ts';"],
    ['a file behind the door, in a folder', 'src/tako/x.ts', "import { a } from '../http/deep/index.ts';"],
    ['the domain without its index', 'src/tako/x.ts', "import { a } from '../http';"],
    ['the public entry from another domain', 'src/cli/tako/x.ts', "import { a } from '../../tako/manifest-api.ts';"],
    ['a type', 'src/tako/x.ts', "import type { A } from '../oci/index.ts';"],
    ['one of several names that is a type', 'src/tako/x.ts', "import { a, type B } from '../oci/index.ts';"],
    ['everything', 'src/tako/x.ts', "import * as a from '../oci/index.ts';"],
    ['for effect', 'src/tako/x.ts', "import '../oci/index.ts';"],
    ['a re-export', 'src/tako/x.ts', "export { a } from '../oci/index.ts';"],
    ['a re-export of everything', 'src/tako/x.ts', "export * from '../oci/index.ts';"],
    ['a re-export of types', 'src/tako/x.ts', "export type { A } from '../oci/index.ts';"],
    ['a dynamic import', 'src/tako/x.ts', "const a = await import('../oci/index.ts');"],
    ['a dynamic import in double quotes', 'src/tako/x.ts', 'void import("../oci/index.ts");'],
    ['a dynamic import in backquotes', 'src/tako/x.ts', 'void import(`../oci/index.ts`);'],
    ['the type of a dynamic import', 'src/tako/x.ts', "type A = import('../oci/index.ts').A;"],
    ['a computed import', 'src/tako/x.ts', 'await import(name);'],
    ['an import with a hole', 'src/tako/x.ts', `await import(\`../\${name}/index.ts\`);`],
    ['require', 'src/tako/x.ts', "const a = require('koffi');"],
    ['require made by hand', 'src/tako/x.ts', "createRequire(import.meta.url)('koffi');"],
    ['base from above', 'src/base/x.ts', "import { a } from '../linux/read.ts';"],
    ['a domain from the ground', 'src/linux/x.ts', "import { a } from '../http/index.ts';"],
    ['undici outside of http', 'src/registry/x.ts', "import { request } from 'undici';"],
    ['a part of undici outside of http', 'src/cli/x.ts', "await import('undici/lib/core/connect.js');"],
    ['koffi outside of linux', 'src/ostree/x.ts', "import koffi from 'koffi';"],
    ['openpgp outside of trust', 'src/ostree/x.ts', "import * as openpgp from 'openpgp';"],
    ['a fixture', 'src/tako/x.ts', "import { secret } from './manifest.fixture.ts';"],
    ['a test', 'src/tako/x.ts', "import './key.test.ts';"],
    ['the helpers of tests', 'src/tako/x.ts', "import { scratch } from '../../test/support/scratch.ts';"],
    ['the build', 'src/tako/x.ts', "import a from '../../dist/src/oci/index.js';"],
    ['this package by its name', 'src/cli/x.ts', "import { openManifest } from 'tako/manifest';"],
    ['an absolute path', 'src/cli/x.ts', "import a from '/srv/project/src/oci/index.ts';"],
    ['a file URL', 'src/cli/x.ts', "import a from 'file:///srv/project/src/oci/index.ts';"],
    ['the program beside', 'src/cli/tako/x.ts', "import { a } from '../os-containers/x.ts';"],
    ['a program from what programs share', 'src/cli/x.ts', "import { a } from './tako/main.ts';"],
    ['by a way around', 'src/tako/x.ts', "import { a } from '../tako/../oci/index.ts';"],
  ] as const) {
    it(`names ${what}, with its line`, () => {
      assert.deepEqual(linesOf(file, text), [1]);
      assert.deepEqual(linesOf(file, `/** a\n * comment */\n\n${text}\n`), [4]);
      assert.match(violations(file, text)[0] ?? '', new RegExp(`^${file.replaceAll('.', '\\.')}:1: `));
    });
  }

  it('names the line of the specifier in an import of many lines', () => {
    assert.deepEqual(linesOf('src/tako/x.ts', "import {\n  a,\n  type B,\n} from '../oci/index.ts';\n"), [4]);
    assert.deepEqual(linesOf('src/tako/x.ts', "const a = await import(\n  '../oci/index.ts'\n);\n"), [2]);
  });

  it('names every one of several', () => {
    const text =
      "import a from 'koffi';\nimport b from './b.ts';\nimport c from '../oci/index.ts';\nexport const d = 1;\n";
    assert.deepEqual(linesOf('src/tako/x.ts', text), [1, 3]);
  });

  it('names a file of no known domain, and one beside the domains', () => {
    assert.equal(violations('src/utils/x.ts', '').length, 1);
    assert.equal(violations('src/x.ts', '').length, 1);
  });

  for (const [what, file, text] of [
    ['its own domain', 'src/tako/x.ts', "import { a } from './manifest.ts';"],
    ['its own domain from a folder', 'src/ostree/deep/x.ts', "import { a } from '../object.ts';"],
    ['a domain it may import, through the door', 'src/tako/x.ts', "export { a } from '../version/index.ts';"],
    [
      'any file of the ground',
      'src/tako/x.ts',
      "import { a } from '../base/error.ts';\nimport { b } from '../linux/read.ts';",
    ],
    ['base from linux', 'src/linux/x.ts', "import { a } from '../base/error.ts';"],
    [
      'everything from a program',
      'src/cli/tako/x.ts',
      "import { a } from '../../registry/index.ts';\nimport { b } from '../program.ts';",
    ],
    ['a package of its own', 'src/http/x.ts', "import { Agent } from 'undici';"],
    ['a method of that name', 'src/tako/x.ts', 'this.#import(name); folder.import(name);'],
    ['a package of nobody', 'src/tako/x.ts', "import * as v from 'valibot';"],
    ['what comes with Node', 'src/base/x.ts', "import { join } from 'node:path';"],
    ['its own domain in the public entry', 'src/tako/manifest-api.ts', "export { a } from './manifest.ts';"],
    [
      'something in a comment',
      'src/tako/x.ts',
      "// import a from 'koffi';\n/*\nimport b from 'koffi';\n * await import('koffi')\n */\nconst a = 1; // require('koffi')",
    ],
    [
      'something only in words',
      'src/tako/x.ts',
      "const text = 'a // comment'; const pattern = /['\"/*]/; const more = 'import';",
    ],
    [
      'anything in a test',
      'src/base/x.test.ts',
      "import a from 'koffi';\nimport { b } from '../../test/support/scratch.ts';\nimport '../tako/key.ts';",
    ],
    ['anything in a fixture', 'src/base/x.fixture.ts', "import a from 'undici';"],
  ] as const) {
    it(`lets pass ${what}`, () => assert.deepEqual(violations(file, text), []));
  }

  it('is not led astray by quotes and slashes that come before an import', () => {
    const text = `const a = /[/*'"\`]/g;\nconst b = \`x \${a ? \`y // z\` : "'"}\`;\nconst c = 1 / 2 / 3; // it's\nawait import('koffi');\n`;
    assert.deepEqual(linesOf('src/tako/x.ts', text), [4]);
  });
});
