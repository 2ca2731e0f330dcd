/** What systemd itself has against a unit that is not installed yet. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../linux/files/nameless-file.ts';
import { verifyUnit } from '../../systemd/index.ts';
import { ContainerError } from '../error.ts';
import type { Places } from '../places/places.ts';

/**
 * @param arriving paths that are not there yet and will be
 * @returns notes, a line each
 * @throws ContainerError BAD_UNIT for a unit that systemd would not load
 */
export async function checkUnit(
  unit: Uint8Array,
  { name, places, arriving }: { readonly name: string; readonly places: Places; readonly arriving: readonly string[] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const folder = mkdtempSync(join(temporaryFolder(), 'os-containers-unit-'));
  try {
    const file = join(folder, `${name}.service`);
    writeFileSync(file, unit);
    const problems = (await verifyUnit(file, { user: places.scope === 'user' }, signal)) ?? [];
    const fatal = problems.find(({ isFatal }) => isFatal);
    if (fatal !== undefined) throw new ContainerError('BAD_UNIT', fatal.text, { subject: `${name}.service` });
    return problems.map(({ text }) => text).filter((text) => !isAboutArriving(text, places, arriving));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `Command X is not executable`: X is a host file of this image, or part of another root. */
function isAboutArriving(text: string, { root }: Places, arriving: readonly string[]): boolean {
  const command = /Command (\S+) is not executable/.exec(text)?.[1];
  return (
    command !== undefined &&
    (root !== '' || arriving.some((each) => command === each || command.startsWith(`${each}/`)))
  );
}
