import { resolve } from 'node:path';
import { Command } from 'commander';
import { formatBytes, plural } from '../../base/text.ts';
import { hostCommand } from './with-host.ts';

interface Values {
  readonly active?: true;
}

export function exportCommand(): Command {
  const shape = new Command('export')
    .description('Write a container into one file, an OCI archive: the images of its deployments, and its settings.')
    .argument('<name>', 'container')
    .argument('<file>', 'where to write it')
    .option('--active', 'the active deployment only, not those that a rollback goes back to');
  const examples = [
    'os-containers export etcd etcd.tar',
    'os-containers export --active etcd /media/usb/etcd.tar',
    'os-containers import etcd.tar               # on the other machine',
  ];
  return hostCommand<Values>(shape, examples, async (values, [name = '', path = ''], context) => {
    const { containers, host, output, openRepository } = context;
    const file = resolve(path);
    const request = { name, file, allSlots: values.active !== true };
    const { slots, leftOut, layers, bytes } = await containers.exportContainer(host, openRepository(), request);
    const what = [plural(slots.length, 'deployment'), plural(layers, 'layer'), formatBytes(bytes)];
    output.info(`exported ${name} to ${file}: ${what.join(', ')}`);
    output.document('os-containers.exported/1', { name, file, slots, leftOut, layers, bytes });
    return 0;
  });
}
