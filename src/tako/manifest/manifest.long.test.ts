/** Hundreds of thousands of damaged manifests and configurations, another set in every run; the seed is printed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { CodedError } from '../../base/error.ts';
import { parseConfig } from '../config/config.ts';
import { key, PUBLIC_TEXT, signBody, VECTOR } from './manifest.fixture.ts';
import { openManifest } from './manifest.ts';

const RUNS = 200_000;
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const CONFIG = `Origin=https://user:pw@example.com/a/\nPublicKey=${PUBLIC_TEXT}\nVersion=1.0 <= v < 2.0\nDestination=/d\nRestart=a b\nHealthCheck=/bin/x "a b" \\x41\nMaintenanceWindow=Sat,Sun *-*-* 02..04:*\nKeepBytes=1G\nHealthSec=1min 5s\n`;

function assertCoded(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error));
  }
}

describe(`${RUNS} mutations with seed ${SEED}`, () => {
  for (const [name, original, read] of [
    ['manifests, their signature being wrong', VECTOR, (bytes: Buffer) => openManifest(bytes, [key])],
    [
      'manifests that are properly signed',
      VECTOR.subarray(0, -89),
      (bytes: Buffer) => openManifest(signBody(bytes), [key]),
    ],
    ['configurations', Buffer.from(CONFIG), (bytes: Buffer) => parseConfig(bytes, 'app')],
  ] as const) {
    it(`of ${name} give a value or a coded error`, () => {
      const random = seededRandom(SEED);
      for (let i = 0; i < RUNS; i++) {
        const bytes = mutate(original, random);
        assertCoded(() => read(bytes));
      }
    });
  }
});
