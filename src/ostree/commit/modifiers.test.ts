import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_XATTRS } from '../objects/xattrs.ts';
import { type Attributes, Modifiers, type StatOverride } from './modifiers.ts';

const xattrs = [[Buffer.from('user.a'), Buffer.from('1')]] as const;
const FILE: Attributes = { uid: 5, gid: 6, mode: 0o104775, xattrs };
const FOLDER: Attributes = { uid: 5, gid: 6, mode: 0o041777, xattrs };
const LINK: Attributes = { uid: 5, gid: 6, mode: 0o120777, xattrs };
const overrides = (path: string, override: StatOverride) => ({ statOverrides: new Map([[path, override]]) });

describe('modifiers', () => {
  it('that change nothing give back what they got', () => {
    assert.equal(new Modifiers().apply('/a', FILE), FILE);
    assert.equal(new Modifiers({ noXattrs: false, skip: new Set() }).isNone, true);
  });
  it('set owners, each alone', () => {
    assert.deepEqual(new Modifiers({ ownerUid: 0 }).apply('/a', FILE), { ...FILE, uid: 0 });
    assert.deepEqual(new Modifiers({ ownerGid: 9 }).apply('/a', FOLDER), { ...FOLDER, gid: 9 });
  });
  it('make permissions canonical, but not those of links', () => {
    const canonical = new Modifiers({ canonicalPermissions: true, ownerUid: 7 });
    const plain = { uid: 0, gid: 0, xattrs: NO_XATTRS };
    assert.deepEqual(canonical.apply('/a', FILE), { ...plain, mode: 0o100755 });
    assert.deepEqual(canonical.apply('/a', FOLDER), { ...plain, mode: 0o040755 });
    assert.deepEqual(canonical.apply('/a', LINK), { ...plain, mode: 0o120777 });
  });
  it('take the right to write from executables only', () => {
    const readOnly = new Modifiers({ modeRoExecutables: true });
    assert.equal(readOnly.apply('/a', FILE)?.mode, 0o104555);
    assert.equal(readOnly.apply('/a', { ...FILE, mode: 0o100666 })?.mode, 0o100666);
    assert.equal(readOnly.apply('/a', FOLDER)?.mode, 0o041777);
  });
  it('set and add permissions by path, before they are made canonical', () => {
    assert.equal(new Modifiers(overrides('/a', { kind: 'set', bits: 0o600 })).apply('/a', FILE)?.mode, 0o100600);
    assert.equal(new Modifiers(overrides('/a', { kind: 'add', bits: 0o2000 })).apply('/a', FILE)?.mode, 0o106775);
    const writable = { ...overrides('/a', { kind: 'add', bits: 0o20 } as const), modeRoExecutables: true };
    assert.equal(new Modifiers(writable).apply('/a', FILE)?.mode, 0o104575);
    const both = { ...overrides('/a', { kind: 'set', bits: 0o4600 } as const), canonicalPermissions: true };
    assert.equal(new Modifiers(both).apply('/a', FILE)?.mode, 0o100600);
    const link = new Modifiers(overrides('/a', { kind: 'set', bits: 0 }));
    assert.throws(() => link.apply('/a', LINK), { code: 'FILE_TYPE' });
  });
  it('leave out what is listed, and complain about paths that never came', () => {
    const skipping = new Modifiers({ skip: new Set(['/a', '/b']) });
    assert.equal(skipping.apply('/a', FILE), undefined);
    assert.equal(skipping.apply('/c', FILE)?.mode, FILE.mode);
    assert.throws(() => skipping.assertAllMatched(), { code: 'PATH_MISSING', subject: '/b' });
    assert.equal(skipping.skips('/b'), true);
    skipping.assertAllMatched();
  });
});
