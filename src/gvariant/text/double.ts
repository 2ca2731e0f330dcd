/** Doubles as C's `%.17g` writes them: 17 significant digits, which tell every double from its neighbours. */
const DIGITS = 17;

/** With `.0` where it would look like an integer. `negative`: its sign bit, which JavaScript hides in a NaN. */
export function formatDouble(value: number, negative: boolean): string {
  if (Number.isNaN(value)) return negative ? '-nan' : 'nan';
  if (!Number.isFinite(value)) return negative ? '-inf' : 'inf';
  const { digits, exponent } = significant(Math.abs(value));
  const text = exponent < -4 || exponent >= DIGITS ? scientific(digits, exponent) : positional(digits, exponent);
  return `${negative ? '-' : ''}${text}${/[.e]/.test(text) ? '' : '.0'}`;
}

/** The digits without trailing zeros, and the power of ten of the first one. */
function significant(value: number): { digits: string; exponent: number } {
  let text = value.toExponential(DIGITS - 1);
  // Halfway between two texts C takes the even one, JavaScript the larger one.
  const [exact = ''] = value.toExponential(60).split('e');
  const odd = /[13579]e/.test(text);
  if (odd && /^50*$/.test(exact.slice(DIGITS + 1))) text = exact.slice(0, DIGITS + 1) + text.slice(text.indexOf('e'));
  const [mantissa = '', power = ''] = text.split('e');
  return { digits: mantissa.replace('.', '').replace(/0+$/, '') || '0', exponent: Number(power) };
}

function scientific(digits: string, exponent: number): string {
  const power = `${Math.abs(exponent)}`.padStart(2, '0');
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${digits.charAt(0)}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
