/** Configuration of an image of the seed layout (spec ostree-container 1.2, 1.5). */
import type { RunConfig } from '../../../oci/index.ts';
import { LABELS, PORT, SEED_LABELS, WEBSERVER } from '../format/layout.ts';

export interface RunRequest {
  /** `--cmd`. */
  readonly command: readonly string[] | undefined;
  /** Else what the commit names, else `/bin/sh` where there is one. */
  readonly shell: readonly string[] | undefined;
  /** Is our own web server in the image? A foreign one may not understand what an entry point has to do. */
  readonly webserver: 'own' | 'foreign' | 'none';
  readonly shellByDefault: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly base: RunConfig | undefined;
}

/** Read by the web server as entry point. */
const SHELL_VARIABLE = 'OSTREE_CONTAINER_CMD';

export function runConfig({ command, shell, webserver, shellByDefault, labels, base = {} }: RunRequest): RunConfig {
  const { Entrypoint, Cmd, Env, ExposedPorts, Labels, ...rest } = base;
  const ports = webserver === 'none' ? ExposedPorts : { ...ExposedPorts, [PORT]: {} };
  const common = {
    ...rest,
    ...(ports !== undefined && { ExposedPorts: ports }),
    Labels: sorted({ ...inherited(Labels), ...labels }),
  };
  if (webserver === 'own' && !shellByDefault) {
    const others = (Env ?? []).filter((each) => !each.startsWith(`${SHELL_VARIABLE}=`));
    const named = command === undefined ? [] : [`${SHELL_VARIABLE}=${JSON.stringify(command)}`];
    const env = [...others, ...named];
    return { ...common, ...(env.length > 0 && { Env: env }), Entrypoint: [`/${WEBSERVER}`] };
  }
  const words = command ?? shell ?? Cmd;
  return {
    ...common,
    ...(Env !== undefined && { Env }),
    ...(Entrypoint !== undefined && { Entrypoint }),
    ...(words !== undefined && { Cmd: words }),
  };
}

/** A base may have a repository of its own, which is not that of the new image. */
function inherited(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  const isOwn = (name: string): boolean => name === LABELS.finalDiffId || name.startsWith(SEED_LABELS);
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !isOwn(name)));
}

function sorted(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
}
