/**
 * `os-containers` at its main job, for real, without a host that runs: a service is deployed into a directory, updated,
 * rolled back and removed; where there is a runtime and a static busybox, a command of it is run.
 */
import * as fs from 'node:fs';
import { delimiter, join } from 'node:path';
import { koffi } from '../../src/linux/calls/koffi.ts';
import { searchPath } from '../support/needs.ts';
import { makeImage, type SampleEntry } from '../support/oci-image.ts';
import { byHand, type Stage, say, title } from './stage.ts';

const IMAGE = 'localhost/greeter';
const isRoot = process.getuid?.() === 0;

export async function showContainer(stage: Stage): Promise<void> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    say(`Not shown: ${missing}.`);
    return;
  }
  const { place } = stage;
  const busybox = findStatic('busybox');
  title('An image says what a host needs of it: a unit, a configuration for the runtime, files, values.');
  await byHandAsync('podman build -t greeter:1.0 .; podman build -t greeter:1.1 .', async () => {
    for (const version of ['1.0', '1.1']) {
      const config = { config: { Labels: { 'atomic.type': 'system' } } };
      await makeImage(join(place, 'image'), { layers: layersOf(version, busybox), tag: version, config });
    }
  });

  title('It is pulled, and looked at: which values does it ask for?');
  await containers(stage, 'pull', '--name', IMAGE, 'oci:image:1.0');
  await containers(stage, 'images', 'info', IMAGE);
  await containers(stage, 'lint', IMAGE);

  title('A value is missing: nothing is installed.');
  await containers({ ...stage, expected: 1 }, 'install', IMAGE);
  if (!isRoot) {
    title(
      'What would be installed for you. (Only root may install for a host that does not run: the rest is left out.)',
    );
    await containers(stage, 'install', '--dry-run', '--display', '--set', 'GREETING=hello', IMAGE);
    return;
  }
  await containers(stage, 'install', '--set', 'GREETING=hello', IMAGE);
  await containers(stage, 'list', '--all');
  expectGreeting(place, '1.0', 'hello');

  title('The next version: first what it would change, then the update. The old deployment stays beside it.');
  await containers(stage, 'pull', '--name', IMAGE, 'oci:image:1.1');
  await containers(stage, 'diff', 'greeter');
  await containers(stage, 'update', 'greeter');
  expectGreeting(place, '1.1', 'hello');
  if (busybox !== undefined) {
    title('A command of the image, run by the runtime.');
    await containers(stage, 'run', 'greeter', '/bin/echo', 'I am inside.');
  } else say('(No command is run inside: there is no static busybox here.)');

  title('Back to the version before: no network, no registry. Then everything is taken away.');
  await containers(stage, 'rollback', 'greeter');
  expectGreeting(place, '1.0', 'hello');
  await containers(stage, 'export', 'greeter', 'greeter.tar');
  await containers(stage, 'uninstall', 'greeter');
  await containers(stage, 'import', 'greeter.tar');
  await containers(stage, 'uninstall', '--purge', 'greeter');
  await containers(stage, 'images', 'delete', IMAGE);
  await containers(stage, 'images', 'prune');
}

/** Nothing of this machine is touched: all of it happens below `host`. */
function containers({ expected, ...stage }: Stage & { readonly expected?: number }, ...words: readonly string[]) {
  return stage.run('os-containers', ['--root', 'host', ...(isRoot ? ['--offline'] : []), ...words], expected);
}

function whatIsMissing(): string | undefined {
  const library = koffi();
  if (library.kind === 'missing') return `without koffi repositories can only be read (${library.reason})`;
  if (findProgram('systemctl') === undefined) return 'there is no systemctl here';
  if (findProgram('runc', 'crun') === undefined) return 'there is no OCI runtime here (runc or crun)';
  return undefined;
}

function findProgram(...names: readonly string[]): string | undefined {
  const paths = names.flatMap((name) =>
    searchPath()
      .split(delimiter)
      .map((directory) => join(directory, name)),
  );
  return paths.find((path) => fs.existsSync(path));
}

/** One that runs in an empty root file system: it names no loader. */
function findStatic(name: string): string | undefined {
  const path = findProgram(name);
  return path === undefined || fs.readFileSync(path).includes('/ld-linux') ? undefined : path;
}

function layersOf(version: string, busybox: string | undefined): readonly (readonly SampleEntry[])[] {
  const directories = ['bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'usr', 'usr/bin', 'exports'];
  const base: readonly SampleEntry[] = [
    ...directories.map((path) => ({ path, type: 'directory' as const })),
    ...(busybox === undefined ? [] : [{ path: 'bin/echo', content: fs.readFileSync(busybox), mode: 0o755 }]),
    { path: 'usr/bin/greeter', content: '#!/bin/sh\necho "$GREETING"\n', mode: 0o755 },
  ];
  return [base, exportsOf(version)];
}

function exportsOf(version: string): readonly SampleEntry[] {
  const manifest = {
    version: '1.0',
    defaultValues: { VERSION: version },
    installedFilesTemplate: ['/etc/greeter.conf'],
  };
  const config = {
    ociVersion: '1.0.0',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ['/usr/bin/greeter'],
      env: ['PATH=/usr/bin:/bin', 'GREETING=$GREETING', 'VERSION=$VERSION'],
      cwd: '/',
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  };
  const unit = [
    '[Unit]',
    'Description=Greets ($NAME $VERSION)',
    '[Service]',
    'ExecStartPre=$EXEC_STARTPRE',
    'ExecStart=$EXEC_START',
    'ExecStop=$EXEC_STOP',
    'WorkingDirectory=$DESTDIR',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  const greeting = '# version $VERSION\nGREETING=$GREETING\n';
  return [
    { path: 'exports/manifest.json', content: JSON.stringify(manifest) },
    { path: 'exports/config.json.template', content: JSON.stringify(config) },
    { path: 'exports/service.template', content: `${unit.join('\n')}\n` },
    ...['exports/hostfs', 'exports/hostfs/etc'].map((path) => ({ path, type: 'directory' as const })),
    { path: 'exports/hostfs/etc/greeter.conf', content: greeting },
  ];
}

function expectGreeting(place: string, version: string, greeting: string): void {
  const path = join(place, 'host/etc/greeter.conf');
  const content = fs.readFileSync(path, 'utf8');
  console.log('$ cat host/etc/greeter.conf');
  for (const line of content.trim().split('\n')) say(line);
  if (content !== `# version ${version}\nGREETING=${greeting}\n`) throw new Error(`expected version ${version}`);
}

async function byHandAsync(command: string, work: () => Promise<void>): Promise<void> {
  byHand(command, () => undefined);
  await work();
}
