/** `images list`: what was pulled, one line each. */
import { Command } from 'commander';
import { jsonTime } from '../../../base/json.ts';
import type { BrokenImage, StoredImage } from '../../../system-containers/index.ts';
import { UsageError } from '../../arguments.ts';
import { repeatable } from '../../repeatable.ts';
import { verificationDocument } from '../pull.ts';
import { type HostContext, hostCommand } from '../with-host.ts';
import { usersOf } from './deployed.ts';

interface Values {
  readonly all?: true;
  readonly filter?: readonly string[];
  readonly noheading?: true;
  readonly truncate: boolean;
  readonly trunc: boolean;
}

interface Row {
  readonly name: string;
  /** Hex of the digest; '' of what cannot be read. */
  readonly hex: string;
  /** Bytes, unpacked. */
  readonly size: number;
  readonly users: readonly string[];
  readonly image: StoredImage | BrokenImage | undefined;
}

const NAME_WIDTH = 40;
const VERSION_WIDTH = 12;

export function listCommand(): Command {
  const shape = new Command('list')
    .description(
      'List the stored images; ">" marks those that containers come from. With --quiet the digests alone, with --all also layers and configurations.',
    )
    .option('-a, --all', 'also layers and configurations')
    .addOption(repeatable('--filter <filter>', 'such as name=docker.io/library/redis:7; fields: name, version'))
    .option('-n, --noheading', 'no line of headings')
    .option('--no-truncate', 'do not cut names and digests')
    .option('--no-trunc', 'the same');
  return hostCommand<Values>(
    shape,
    ['os-containers images list', 'os-containers images list --all --no-truncate', 'os-containers images --json'],
    async (values, _args, context) => list(values, context),
  );
}

async function list(values: Values, context: HostContext): Promise<number> {
  const { containers, host, output } = context;
  const filters = (values.filter ?? []).map(readFilter);
  const repository = containers.findStorage(host.places);
  try {
    const users = usersOf(context);
    const images = repository === undefined ? [] : containers.listImages(repository);
    const rows = images.map((image): Row => {
      if (!containers.isStored(image)) return { name: image.name, hex: '', size: 0, users: [], image };
      const hex = hexOf(image.digest);
      const size = repository === undefined ? 0 : containers.sizeOf(repository, image);
      return { name: image.name, hex, size, users: users.get(hex) ?? [], image };
    });
    const blobs = repository === undefined || values.all !== true ? [] : containers.listBlobs(repository);
    const layers = blobs.map(({ hex, size }): Row => ({ name: '<none>', hex, size, users: [], image: undefined }));
    const shown = [...rows, ...layers].filter((row) => filters.every((filter) => filter(row)));
    for (const { name, image } of shown) {
      if (image !== undefined && 'problem' in image) output.warning(`${name}: ${image.problem}`);
    }
    const isCut = values.truncate && values.trunc;
    output.results(output.options.quiet ? shown.map(({ hex }) => version(hex, isCut)) : lines(shown, values, isCut));
    output.document('os-containers.images-list/1', {
      scope: host.places.scope,
      repository: host.places.repository,
      images: shown.flatMap((row) => (row.image === undefined ? [] : [imageDocument(row, row.image)])),
      ...(values.all === true && { blobs: blobs.map((each) => ({ ...each })) }),
    });
    return 0;
  } finally {
    repository?.close();
  }
}

function readFilter(text: string): (row: Row) => boolean {
  const [, field = '', value = ''] = /^([a-z]+)=(.*)$/s.exec(text) ?? [];
  if (field === 'name' || field === 'image') return ({ name }) => name === value;
  if (field === 'version') return ({ hex }) => hex.startsWith(value.replace(/^sha256:/, '')) && value !== '';
  throw new UsageError(`--filter: invalid argument "${text}"`, 'write name=NAME or version=DIGEST');
}

function lines(rows: readonly Row[], { noheading }: Values, isCut: boolean): string[] {
  const cells = rows.map(({ name, hex, size, users, image }) => [
    users.length > 0 ? '>' : ' ',
    isCut ? name.slice(0, NAME_WIDTH) : name,
    image !== undefined && 'problem' in image ? 'broken' : version(hex, isCut),
    String(size),
  ]);
  const all = noheading === true ? cells : [[' ', 'NAME', 'VERSION', 'SIZE'], ...cells];
  const widths = [1, NAME_WIDTH, VERSION_WIDTH, 0].map((width, i) =>
    Math.max(width, ...all.map((row) => (row[i] ?? '').length)),
  );
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join(' ')
      .trimEnd(),
  );
}

function version(hex: string, isCut: boolean): string {
  return isCut ? hex.slice(0, VERSION_WIDTH) : hex;
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

function imageDocument({ name, size, users }: Row, image: StoredImage | BrokenImage) {
  if ('problem' in image) return { name, branch: image.branch, problem: image.problem };
  const { branch, commit, digest, layers, config, created, verification } = image;
  return {
    ...{ name, branch, commit, digest, size, inUse: [...users], layers: [...layers], config: config ?? null },
    created: jsonTime(created * 1000),
    verification: verification === undefined ? null : verificationDocument(verification),
    problem: null,
  };
}
