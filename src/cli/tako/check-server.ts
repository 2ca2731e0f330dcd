import { Command } from 'commander';
import { plural, printable } from '../../base/text.ts';
import { EXIT } from '../exit-status.ts';
import { command } from '../program.ts';

interface Values {
  readonly publicKey?: string;
  readonly older?: string;
}

/** Findings after which a client refuses what it gets. */
const REFUSED = new Set(['DIGEST', 'SIZE', 'SIGNATURE', 'NOT_A_SUPERSET']);

export function checkServerCommand(): Command {
  const shape = new Command('check-server')
    .description(
      'Check that every client gets what the manifest of a server directory promises: signature, order, files, sizes, ' +
        'digests, permissions, stray files. Nothing is changed. Exit status 1 for problems, 3 when clients would refuse.',
    )
    .option('--public-key <key>', 'check the signature with this public key')
    .option('--older <manifest>', 'a manifest that clients still have: would they refuse the present one?')
    .argument('<directory>', 'the server directory');
  return command<Values>(shape, ['tako check-server --public-key KEY /srv/www/app'], async () => {
    const { checkServer, MANIFEST_LIMIT, parsePublicKey } = await import('../../tako/index.ts');
    const { readSmallFile } = await import('./secret-key.ts');
    return async (values, [path = ''], { output, signal }) => {
      const publicKey = values.publicKey === undefined ? undefined : parsePublicKey(values.publicKey.trim());
      const older = values.older === undefined ? undefined : readSmallFile(values.older, MANIFEST_LIMIT);
      const { entries, images, findings } = await checkServer({ path, publicKey, older }, signal);
      const problems = findings.filter(({ severity }) => severity === 'problem');
      for (const { severity, subject, text } of findings) {
        const line = `${printable(subject)}: ${text}`;
        if (severity === 'problem') output.result(`problem: ${line}`);
        else output.info(line);
      }
      const verdict = problems.length === 0 ? 'no problems' : plural(problems.length, 'problem');
      output.result(`${path}: ${plural(entries, 'version')}, ${plural(images, 'image')}: ${verdict}`);
      output.document('tako.check-server/1', {
        directory: path,
        entries,
        images,
        findings: findings.map((finding) => ({ ...finding })),
      });
      if (problems.some(({ code }) => REFUSED.has(code))) return EXIT.refused;
      return problems.length === 0 ? EXIT.done : EXIT.failed;
    };
  });
}
