import { clip, textError } from '../error.ts';

/** Smallest and largest value of each type of integers. */
const RANGES: ReadonlyMap<string, readonly [bigint, bigint]> = new Map([
  ['y', [0n, 0xffn]],
  ['n', [-0x8000n, 0x7fffn]],
  ['q', [0n, 0xffffn]],
  ['i', [-0x8000_0000n, 0x7fff_ffffn]],
  ['u', [0n, 0xffff_ffffn]],
  ['h', [-0x8000_0000n, 0x7fff_ffffn]],
  ['x', [-(2n ** 63n), 2n ** 63n - 1n]],
  ['t', [0n, 2n ** 64n - 1n]],
]);

/** A number of the given type: decimal, octal after `0`, hexadecimal after `0x`; bigint for the two large types. */
export function parseNumber(token: string, type: string, at: number): number | bigint {
  if (type === 'd') return parseDouble(token, at);
  const range = RANGES.get(type);
  if (range === undefined) throw textError(at, `a value of type ${type}, found ${clip(token)}`);
  const value = parseInteger(token);
  if (value === undefined || value < range[0] || value > range[1])
    throw textError(at, `an integer from ${range[0]} to ${range[1]}, found ${clip(token)}`);
  return type === 'x' || type === 't' ? value : Number(value);
}

function parseInteger(token: string): bigint | undefined {
  const match = /^([-+]?)(0x[0-9A-Fa-f]+|0[0-7]*|[1-9][0-9]*)$/i.exec(token);
  if (match === null || token.length > 66) return undefined; // 64 bits in octal are 22 digits; zeros may precede them
  const [, sign = '', digits = ''] = match;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return sign === '-' ? -value : value;
}

function parseDouble(token: string, at: number): number {
  const match =
    /^([-+]?)(inf(?:inity)?|nan|0x[0-9a-f]+|[0-9]+\.?[0-9]*(?:e[-+]?[0-9]+)?|\.[0-9]+(?:e[-+]?[0-9]+)?)$/i.exec(token);
  if (match === null) throw textError(at, `a number, found ${clip(token)}`);
  const [, sign = '', digits = ''] = match;
  const infinite = /^inf/i.test(digits);
  const value = infinite ? Number.POSITIVE_INFINITY : Number(digits);
  if (value === Number.POSITIVE_INFINITY && !infinite)
    throw textError(at, `a number that a double can hold, found ${clip(token)}`);
  return sign === '-' ? -value : value;
}
