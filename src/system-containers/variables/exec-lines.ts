/** Command lines that a unit starts and stops its container with. */
import type { RuntimeFeatures } from '../../runtime/index.ts';
import { parseTemplate, variablesIn } from '../template/index.ts';

export interface ExecRequest {
  /** Of the container, checked: it goes into quotes as it is. */
  readonly name: string;
  readonly runtimePath: string;
  readonly features: RuntimeFeatures;
  readonly scope: 'system' | 'user';
  readonly isDetached: boolean;
  readonly pidFile: string;
}

export interface ExecLines {
  readonly EXEC_START: string;
  readonly EXEC_STARTPRE: string;
  readonly EXEC_STOP: string;
  readonly EXEC_STOPPOST: string;
}

/**
 * Does the unit leave the container to itself, with its process id in a file? It does when its template uses both
 * PIDFILE and EXEC_STOPPOST, as our own unit does, and the runtime can write that file.
 * @param unitTemplate undefined: our own unit
 */
export function isDetached(unitTemplate: Uint8Array | undefined, features: RuntimeFeatures): boolean {
  if (!features.pidFile || unitTemplate === undefined) return features.pidFile;
  const used = variablesIn(parseTemplate(unitTemplate, 'service.template'));
  return used.has('PIDFILE') && used.has('EXEC_STOPPOST');
}

export function execLines({ name, runtimePath, features, scope, isDetached, pidFile }: ExecRequest): ExecLines {
  const cgroup = scope === 'system' && features.systemdCgroup ? ' --systemd-cgroup' : '';
  const detach = isDetached ? ` -d --pid-file ${pidFile}` : '';
  return {
    EXEC_START: `${runtimePath}${cgroup} run${detach} '${name}'`,
    // What a killed service left behind would keep the next one from starting.
    EXEC_STARTPRE: `-${runtimePath} delete --force '${name}'`,
    EXEC_STOP: isDetached ? '' : `${runtimePath} kill '${name}'`,
    EXEC_STOPPOST: isDetached ? `${runtimePath} delete '${name}'` : '',
  };
}
