/** What a program may choose about its network traffic, and what holds when it does not. */
export interface HttpSettings {
  /** `tako/VERSION`. */
  readonly userAgent: string;
  /** PEM file of the certificate authorities to trust instead of the system's. */
  readonly caFile?: string | undefined;
  /** More of them, in files of their own. */
  readonly moreAuthorities?: readonly string[] | undefined;
  /** Client certificate and its key, PEM files. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Accept any certificate: for a server that the user has declared insecure, and no other. */
  readonly anyCertificate?: boolean | undefined;
  /** Upper bound in bytes per second, over all transfers of this client together. */
  readonly limitRate?: number | undefined;
  /** A transfer that stays below this many bytes per second over a whole window has stalled. */
  readonly minRate?: number | undefined;
  readonly minRateWindowMs?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  /** How often a request is repeated after the first try. */
  readonly retries?: number | undefined;
  /** Before the first repetition; doubled each time, up to 30 s. */
  readonly retryDelayMs?: number | undefined;
  /** A server that asks for a longer pause is not waited for. */
  readonly maxRetryAfterMs?: number | undefined;
  /** Hears about every retry and wait, one line each. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Where proxies and `SSL_CERT_FILE` come from; default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

export interface ResolvedSettings {
  readonly userAgent: string;
  readonly caFile: string | undefined;
  readonly moreAuthorities: readonly string[];
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly anyCertificate: boolean;
  readonly limitRate: number | undefined;
  readonly minRate: number;
  readonly minRateWindowMs: number;
  readonly connectTimeoutMs: number;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly maxRetryAfterMs: number;
  readonly onNote: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
}

export function resolveSettings(settings: HttpSettings): ResolvedSettings {
  return {
    userAgent: settings.userAgent,
    caFile: settings.caFile,
    moreAuthorities: settings.moreAuthorities ?? [],
    certFile: settings.certFile,
    keyFile: settings.keyFile,
    anyCertificate: settings.anyCertificate === true,
    limitRate: settings.limitRate,
    minRate: settings.minRate ?? 1024,
    minRateWindowMs: settings.minRateWindowMs ?? 30_000,
    connectTimeoutMs: settings.connectTimeoutMs ?? 30_000,
    retries: settings.retries ?? 4,
    retryDelayMs: settings.retryDelayMs ?? 500,
    maxRetryAfterMs: settings.maxRetryAfterMs ?? 300_000,
    onNote: settings.onNote ?? (() => undefined),
    env: settings.env ?? process.env,
  };
}
