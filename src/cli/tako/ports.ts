/** The real adaptors of one configuration. */
import { systemctl } from '../../systemd/index.ts';
import type { Config } from '../../tako/index.ts';
import { gravityOf } from '../exit-status.ts';
import type { Context } from '../program.ts';
import { labelled } from '../progress.ts';
import { type LockValues, lockWait } from '../shared-options.ts';

export function portsOf(config: Config, values: LockValues, context: Context) {
  return {
    now: Date.now,
    gravity: gravityOf,
    progress: labelled(context.progress.emit, config.path),
    wait: lockWait(values, context, config.path),
    /** Root means the system's manager, everybody else their own. */
    units: systemctl(process.geteuid?.() !== 0),
  };
}
