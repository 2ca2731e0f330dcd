import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeExport, type ExportDocument, encodeExport } from './document.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const DOCUMENT: ExportDocument = {
  name: 'kvd',
  active: 1,
  slots: [0, 1].map((slot) => ({
    slot,
    tag: `slot-${slot}`,
    digest: DIGEST,
    originalDigest: null,
    storedName: 'docker.io/library/kvd:latest',
    image: 'kvd',
    setValues: { __proto__: 'x', PORT: '80' },
    permissions: ['hooks'],
    tagVersion: slot === 0 ? null : { pattern: '1.*', preReleases: false },
    activated: slot === 0 ? null : 1_700_000_000_000,
    info: { image: 'kvd', 'some-key': [1, null] },
  })),
};

const changed = (change: (document: Record<string, unknown> & { slots: Record<string, unknown>[] }) => void) => {
  const document = JSON.parse(Buffer.from(encodeExport(DOCUMENT)).toString());
  change(document);
  return Buffer.from(JSON.stringify(document));
};

describe('the document of an exported container', () => {
  it('is read as it was written', () => {
    assert.deepEqual(decodeExport(encodeExport(DOCUMENT), 'x.tar'), DOCUMENT);
  });

  for (const [what, bytes] of [
    ['is of another schema', changed((document) => Object.assign(document, { schema: 'os-containers.export/2' }))],
    ['has no slots', changed((document) => void document.slots.splice(0))],
    ['has a slot twice', changed((document) => Object.assign(document.slots[0] ?? {}, { slot: 1 }))],
    ['has no active slot', changed((document) => Object.assign(document, { active: 7 }))],
    [
      'has a digest that is none',
      changed((document) => Object.assign(document.slots[0] ?? {}, { digest: 'sha256:00' })),
    ],
    ['has a tag that leads elsewhere', changed((document) => Object.assign(document.slots[0] ?? {}, { tag: '@0' }))],
    [
      'has values that are no text',
      changed((document) => Object.assign(document.slots[0] ?? {}, { setValues: { A: 1 } })),
    ],
    [
      'calls the image by more than a line',
      changed((document) => Object.assign(document.slots[0] ?? {}, { image: 'kvd\nExecStartPre=/bin/sh' })),
    ],
    ['is no JSON', Buffer.from('{')],
    ['is no text', Buffer.from([0xff, 0xfe])],
  ] as const) {
    it(`is refused when it ${what}`, () => {
      assert.throws(() => decodeExport(bytes, 'x.tar'), { code: 'BAD_EXPORT' });
    });
  }
});
