/** `174 bytes`, `1.7 kB`: sizes as the program ostree prints them, in powers of 1000. Source: g_format_size. */
const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

export function formatGlibSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} byte${bytes === 1 ? '' : 's'}`;
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)}\u00a0${UNITS[unit]}`;
}
