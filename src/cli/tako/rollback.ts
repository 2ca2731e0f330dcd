import { Command } from 'commander';
import { printable } from '../../base/text.ts';
import { command } from '../program.ts';
import { type LockValues, lockOption } from '../shared-options.ts';

interface Values extends LockValues {
  readonly dryRun?: true;
}

const DRY_RUN = ['--dry-run', 'say what would be done, change nothing'] as const;

export function rollbackCommand(): Command {
  const shape = new Command('rollback')
    .description(
      'Link an earlier stored image, verified first, and restart its units. The version that was left is skipped ' +
        'until a newer one appears or "tako unhold" is called.',
    )
    .option(...DRY_RUN)
    .argument('<config>', 'configuration file')
    .argument('[version]', 'the version to go back to (default: the previous one)');
  return command<Values>(
    lockOption(shape),
    ['tako rollback /etc/tako/app', 'tako rollback /etc/tako/app 1.1.0'],
    async () => {
      const { rollBack } = await import('../../tako/index.ts');
      const { openConfig } = await import('./each-config.ts');
      const { portsOf } = await import('./ports.ts');
      const { logFailure, logRollback } = await import('./events.ts');
      return async (values, [path = '', version], context) => {
        const { output, signal } = context;
        const config = openConfig(path, context);
        const dryRun = values.dryRun === true;
        const logged = async <T>(work: Promise<T>): Promise<T> => {
          try {
            return await work;
          } catch (error) {
            await logFailure(path, error, context);
            throw error;
          }
        };
        const { outcome, from, to, restarted, reloaded } = await logged(
          rollBack(config, version, dryRun, portsOf(config, values, context), signal),
        );
        const [left, linked] = [from.version.text, to.version.text];
        if (!dryRun && outcome === 'rolled-back') await logRollback(path, left, linked, context);
        const units = [...restarted, ...reloaded];
        const acted = units.length === 0 ? '' : `, ${dryRun ? 'restart' : 'restarted'} ${units.join(' ')}`;
        if (outcome === 'unchanged') {
          output.result(`${path}: ${printable(linked)} is linked already`);
        } else {
          const how = dryRun ? 'would roll' : 'rolled';
          output.result(`${path}: ${how} back to ${printable(linked)} from ${printable(left)}${acted}`);
          const hint = `skipped until a newer version appears; "tako unhold ${path}" takes that back`;
          output.info(`${printable(left)} ${dryRun ? 'would be' : 'is'} ${hint}`);
        }
        output.document('tako.rollback/1', {
          config: path,
          dryRun,
          outcome,
          version: linked,
          digest: `sha256:${to.sha256}`,
          previousVersion: left,
          restarted: [...restarted],
          reloaded: [...reloaded],
        });
        return 0;
      };
    },
  );
}

export function holdCommand(): Command {
  const shape = new Command('hold')
    .description('Take no other version than the named one, by default the current one, until "tako unhold" is called.')
    .option(...DRY_RUN)
    .argument('<config>', 'configuration file')
    .argument('[version]', 'the version to stay with (default: the current one)');
  return command<Values>(lockOption(shape), ['tako hold /etc/tako/app', 'tako hold /etc/tako/app 1.1.0'], async () => {
    const { hold } = await import('../../tako/index.ts');
    const { openConfig } = await import('./each-config.ts');
    const { portsOf } = await import('./ports.ts');
    return async (values, [path = '', version], context) => {
      const config = openConfig(path, context);
      const dryRun = values.dryRun === true;
      const entry = await hold(config, version, dryRun, portsOf(config, values, context), context.signal);
      context.output.result(`${path}: ${dryRun ? 'would hold' : 'held at'} ${printable(entry.version.text)}`);
      context.output.document('tako.hold/1', { config: path, dryRun, version: entry.version.text });
      return 0;
    };
  });
}

export function unholdCommand(): Command {
  const shape = new Command('unhold')
    .description(
      'Forget the hold and every skipped version: the next fetch takes the newest version that the pattern allows.',
    )
    .option(...DRY_RUN)
    .argument('<config>', 'configuration file');
  return command<Values>(lockOption(shape), ['tako unhold /etc/tako/app'], async () => {
    const { release } = await import('../../tako/index.ts');
    const { openConfig } = await import('./each-config.ts');
    const { portsOf } = await import('./ports.ts');
    return async (values, [path = ''], context) => {
      const config = openConfig(path, context);
      const dryRun = values.dryRun === true;
      const marks = await release(config, dryRun, portsOf(config, values, context), context.signal);
      const names = marks.map((mark) => `${mark.reason === 'hold' ? 'hold on' : 'skip of'} ${printable(mark.version)}`);
      const what =
        names.length === 0
          ? 'nothing was held or skipped'
          : `${dryRun ? 'would forget' : 'forgot'} the ${names.join(', the ')}`;
      context.output.result(`${path}: ${what}`);
      context.output.document('tako.unhold/1', { config: path, dryRun, forgotten: marks.map((mark) => ({ ...mark })) });
      return 0;
    };
  });
}
