/** Sizes as GLib's `g_format_size` shows them: powers of 1000, one digit after the point, a no-break space. */
const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)}\u00a0${UNITS[unit]}`;
}
