/** `run`: a command in a container or an image; its exit status is ours. */
import { Command } from 'commander';
import { passThrough, UsageError } from '../arguments.ts';
import { EXIT, statusOf } from '../exit-status.ts';
import { repeatable } from '../repeatable.ts';
import { permissionsOf, setValuesOf } from './deploying.ts';
import { type HostContext, hostCommand } from './with-host.ts';

interface Values {
  readonly set?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly detach?: true;
}

export function runCommand(): Command {
  const shape = new Command('run')
    .description(
      'Run a command in a container: inside of the running service, beside it when it is stopped, or in a stored image that is not installed. The exit status is that of the command, 125 when it could not be started.',
    )
    .argument('<name-or-image>', 'container, or stored image')
    .argument('<command...>', 'command and its arguments; all words after the first are its own')
    .option('--detach', 'in a running container: do not wait for the end of the command')
    .addOption(repeatable('--set <name=value>', 'value of a template variable, for images'))
    .addOption(repeatable('--allow-host <what>', 'for images: let it act outside, by hooks, tmpfiles or setuid'));
  return hostCommand<Values>(
    passThrough(shape),
    ['os-containers run etcd etcdctl member list', 'os-containers run docker.io/library/busybox:latest ls -l /'],
    run,
  );
}

async function run(values: Values, [subject, ...command]: readonly string[], context: HostContext): Promise<number> {
  const { containers, host, output, openRepository, runtimePath } = context;
  if (subject === undefined || command.length === 0)
    throw new UsageError('name a container or an image, and a command');
  const setValues = setValuesOf(values, context);
  const permissions = permissionsOf(values, context);
  try {
    return await containers.runCommand(host, {
      subject,
      command,
      setValues,
      permissions,
      tty: process.stdin.isTTY === true,
      detach: values.detach,
      runtimePath,
      openRepository,
    });
  } catch (error) {
    if (host.signal.aborted || statusOf(error) === EXIT.usage) throw error;
    output.error(error);
    output.errorDocument(error);
    return containers.COULD_NOT_START;
  }
}
