/** What a user may say about reaching images; most of it concerns registries. */
import type { HttpSettings } from '../http/index.ts';
import type { Credentials } from '../registry/index.ts';

export interface ImagesSettings {
  /** `tako/VERSION`, limits and retries. Certificates of registries come from `certDir` and certs.d. */
  readonly http: HttpSettings;
  /**
   * Of `--authfile`; it must exist then. It takes the place of the file that `login` writes; what it does not know may
   * still stand in the user's other files. With `credentialsOrder: 'ostree'` it is the only file.
   */
  readonly authFile?: string | undefined;
  /** Whose files: those of the containers tools, or those of commands that pull into a repository. */
  readonly credentialsOrder?: 'containers' | 'ostree' | undefined;
  /** Of `--creds`: instead of what files say. */
  readonly credentials?: Credentials | undefined;
  /** Of `--no-creds`: look at no file. */
  readonly anonymous?: boolean | undefined;
  /** Of `--cert-dir`: the files of one registry, instead of those in certs.d. */
  readonly certDir?: string | undefined;
  /** False: accept any certificate, and plain HTTP where there is no TLS. Undefined: as registries.conf says. */
  readonly tlsVerify?: boolean | undefined;
  /** Of `--registries-conf`, else where the containers tools look. */
  readonly registriesConf?: string | undefined;
  /** Of `--registries.d`: says where simple signatures of images in registries are kept. */
  readonly registriesD?: string | undefined;
  /** For layouts and archives that another run writes to. */
  readonly lockTimeoutMs?: number | undefined;
  readonly onWait?: (() => void) | undefined;
  /** Hears what is worth a line: another mirror, a warning of a registry. */
  readonly onNote: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
}
