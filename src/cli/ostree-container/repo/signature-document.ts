/** A report on a signature as JSON. */
import { jsonTime } from '../../../base/json.ts';
import type { SignatureReport } from '../../../ostree/index.ts';

export function signatureDocument(report: SignatureReport) {
  return {
    kind: report.kind,
    status: report.status,
    key: report.key ?? null,
    keyId: report.keyId ?? null,
    userId: report.userId ?? null,
    signedAt: timeOrNull(report.signedAt),
    expiresAt: timeOrNull(report.expiresAt),
    keyExpiresAt: timeOrNull(report.keyExpiresAt),
    algorithm: report.algorithm,
    reason: report.reason ?? null,
  };
}

/** The time is somebody else's word. */
function timeOrNull(time: Date | undefined): string | null {
  return time === undefined || Number.isNaN(time.getTime()) ? null : jsonTime(time.getTime());
}
