import { Command } from 'commander';
import { plural } from '../../base/text.ts';
import type { Finding, Severity } from '../../system-containers/index.ts';
import { EXIT } from '../exit-status.ts';
import { hostCommand } from './with-host.ts';

interface Values {
  readonly strict?: true;
}

export function lintCommand(): Command {
  const shape = new Command('lint')
    .description(
      'Check an image for what makes trouble as a system container: a stored one, or its root file system in a ' +
        'directory. Fails when there are errors; nothing of the image is run.',
    )
    .argument('<directory-or-image>', 'root file system with /exports, or name of a stored image')
    .option('--strict', 'fail on warnings, too');
  const examples = ['os-containers lint ./rootfs', 'os-containers lint --strict docker.io/example/etcd'];
  return hostCommand<Values>(shape, examples, async (values, [text = ''], context) => {
    const { containers, host, output } = context;
    const { subject, findings } = await containers.lintNamed(host, text, () => context.openRepository());
    const count = (severity: Severity): number => findings.filter((each) => each.severity === severity).length;
    const [errors, warnings, hints] = [count('error'), count('warning'), count('hint')];
    output.results(findings.map(formatFinding));
    const total = [plural(errors, 'error'), plural(warnings, 'warning'), plural(hints, 'hint')];
    output.info(`${subject}: ${total.join(', ')}`);
    output.document('os-containers.lint/1', { subject, errors, warnings, hints, findings: findings.map(documentOf) });
    return errors > 0 || (values.strict === true && warnings > 0) ? EXIT.failed : EXIT.done;
  });
}

/** As compilers write it: editors find the line. */
function formatFinding({ severity, rule, file, line, message }: Finding): string {
  const place = file === undefined ? '' : `${file}:${line === undefined ? '' : `${line}:`} `;
  return `${place}${severity}: ${message} [${rule}]`;
}

function documentOf({ severity, rule, file, line, message }: Finding) {
  return { severity, rule, file: file ?? null, line: line ?? null, message };
}
