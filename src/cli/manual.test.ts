import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Command, Help } from 'commander';
import { manualPages } from './manual.ts';
import { ostreeContainerProgram } from './ostree-container/definition.ts';
import { podProgram } from './program.fixture.ts';
import { takoProgram } from './tako/definition.ts';

describe('the manual', () => {
  let program: Command;
  let pages: ReadonlyMap<string, string>;
  before(async () => {
    program = await takoProgram();
    pages = manualPages(program, '1.2.3');
  });

  it('has a page for the program and one for each command', () => {
    const names = program.commands.map((command) => `tako-${command.name()}.1`);
    assert.deepEqual([...pages.keys()], ['tako.1', ...names]);
  });
  it('names every option of every command', () => {
    for (const command of program.commands) {
      const page = pages.get(`tako-${command.name()}.1`) ?? '';
      for (const { long } of new Help().visibleOptions(command)) {
        assert.ok(page.includes(`\\fB${(long ?? '').replaceAll('-', '\\-')}\\fR`), `${command.name()} ${long}`);
      }
    }
  });
  it('has on each page the sections that readers look for', () => {
    const titles = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXIT STATUS', 'ENVIRONMENT', 'FILES', 'SEE ALSO'];
    for (const [name, page] of pages) {
      for (const title of titles) assert.ok(page.includes(`\n.SH "${title}"\n`), `${name}: ${title}`);
      assert.equal(page.includes('\n.SH "EXAMPLES"\n'), name !== 'tako.1', name);
    }
  });
  it('carries the version and no date', () => {
    for (const [name, page] of pages) assert.match(page, /^\.TH "[A-Z\\-]+" 1 "" "tako 1.2.3" "tako manual"$/m, name);
  });
  it('is the same each time it is made', async () => {
    assert.deepEqual(manualPages(await takoProgram(), '1.2.3'), pages);
  });
  it('keeps what roff would read as its own', () => {
    const text = `.so /etc/passwd\n\n'quoted' C:\\dir ~ ^ \` "x" – ok`;
    const page = manualPages(new Command('odd').description(text), '0').get('odd.1') ?? '';
    assert.ok(page.includes('\n\\&.so /etc/passwd\n'));
    assert.ok(page.includes('\\(aqquoted\\(aq C:\\edir \\(ti \\(ha \\(ga \\(dqx\\(dq \\[u2013] ok'));
  });
  it('gives nested commands pages of their own', () => {
    const pull = new Command('pull').description('Fetch it. Slowly.');
    const program = new Command('pod')
      .addCommand(new Command('images').helpCommand(false).addCommand(pull))
      .helpCommand(false);
    const page = manualPages(program, '0').get('pod-images-pull.1') ?? '';
    assert.ok(page.includes('pod\\-images\\-pull \\- Fetch it\n'));
  });
  it('refers from a page to what is above, below and beside it', async () => {
    const references = (name: string): readonly string[] => {
      const text = (manualPages(pod, '0').get(name) ?? '').split('.SH "SEE ALSO"\n')[1] ?? '';
      return [...text.matchAll(/\\fB(.*?)\\fR/g)].map(([, page = '']) => page.replaceAll('\\', ''));
    };
    const pod = await podProgram();
    assert.deepEqual(references('pod.1'), ['pod-images', 'pod-show']);
    assert.deepEqual(references('pod-images.1'), ['pod', 'pod-images-pull', 'pod-images-remote', 'pod-show']);
    assert.deepEqual(references('pod-images-remote-add.1'), ['pod-images-remote', 'pod-images-remote-delete']);
  });
  it('of ostree-container says where the repository comes from', async () => {
    const pages = manualPages(await ostreeContainerProgram(), '1.2.3');
    assert.ok(pages.has('ostree-container-repo.1'));
    for (const [name, page] of pages) assert.ok(page.includes('\n.B OSTREE_REPO\n'), name);
  });
});
