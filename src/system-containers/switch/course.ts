/** What a switch is about: the host as it is, the host as it is to be. Undo is a course with the two exchanged. */
import type { Deployment } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import type { HostPlan } from '../host-files/index.ts';
import type { ImageTree } from '../image-tree.ts';

/** A deployment as it acts on the host; all of it is read before the host changes. */
export interface Side {
  readonly deployment: Deployment;
  /** The root file system that host files come from. */
  readonly tree: ImageTree;
  readonly unit: Uint8Array | undefined;
  readonly fragment: Uint8Array | undefined;
}

export interface Course {
  /** Its signal is the one to work under: an undo goes on when the command was interrupted. */
  readonly host: Host;
  readonly name: string;
  /** What is on the host; undefined: nothing, or nothing that can be read. */
  readonly from: Side | undefined;
  /** What is to be; undefined: nothing. */
  readonly to: Side | undefined;
  /** Undefined: host files have not been touched, and are not. */
  readonly hostPlan: HostPlan | undefined;
  /** Paths at which the two steps for host files have left something else than planned. */
  readonly strays: Set<string>;
  readonly isToRun: boolean;
  readonly isToBeEnabled: boolean;
  /** Something went wrong: come as near to `to` as possible. */
  readonly isUndo: boolean;
  /** How long the service has to stay active to count as started. */
  readonly graceMs: number;
}

export const hasService = (side: Side | undefined): side is Side => side?.deployment.info.hasService === true;
