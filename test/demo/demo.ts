/**
 * `npm run demo`: the main jobs of the programs, for real, in a temporary directory. Every step prints the command that a
 * user would type and what it answered. `npm run demo -- tako`, `-- ostree` and `-- containers` show one of them.
 */
import { showContainer } from './show-container.ts';
import { showRepository } from './show-repository.ts';
import { showTako } from './show-tako.ts';
import { openStage, say, title } from './stage.ts';

const PARTS = { tako: showTako, ostree: showRepository, containers: showContainer };

const wanted = process.argv[2];
for (const [name, show] of Object.entries(PARTS)) {
  if (wanted !== undefined && wanted !== name) continue;
  const stage = openStage();
  console.log(`\n${name}: everything happens in ${stage.place}, and is removed at the end.`);
  try {
    await show(stage);
  } finally {
    stage.close();
  }
}

title('Where to go next');
say('docs/guide.md                   from nothing to a service that is updated by tako, step by step');
say('docs/ostree-container/guide.md  the same for an OSTree repository');
say('docs/os-containers/guide.md     services out of container images, updated as a whole, with a way back');
say('systemd/                        tako@.service and tako@.timer: `systemctl enable --now tako@app.timer`');
