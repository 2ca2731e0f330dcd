/** The records of a pax header as the writer makes them: in the order of their keys. */
export interface PaxRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

export function encodeRecords(records: readonly PaxRecord[]): Buffer {
  const sorted = [...records].sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(sorted.map(encodeRecord));
}

/** Decimal seconds; what counts forward from a second before 1970 is written backward from 0. */
export function formatTime(seconds: number, nanoseconds: number): string {
  const isBackward = seconds < 0 && nanoseconds > 0;
  const whole = isBackward ? -(seconds + 1) : Math.abs(seconds);
  const fraction = String(isBackward ? 1e9 - nanoseconds : nanoseconds)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${seconds < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The length counts its own digits. */
function encodeRecord({ key, value }: PaxRecord): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} `), key, Buffer.from('='), value, Buffer.from('\n')]);
}
