// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what templates look like
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { codeOf } from '../../base/error.ts';
import { type ContainerManifest, EMPTY_MANIFEST, parseContainerManifest } from './manifest.ts';

const read = (text: string | object): ContainerManifest =>
  parseContainerManifest(Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)), 'example/kvd:1.0');

describe('the manifest of an image', () => {
  it('is read whole', () => {
    const manifest = read({
      version: '1.0',
      defaultValues: { LISTEN: '127.0.0.1:2390', ADDTL_MOUNTS: '' },
      renameFiles: { '/etc/kvd/kvd.conf': '${CONF_DIRECTORY}/${NAME}/kvd.conf' },
      installedFilesTemplate: ['/etc/kvd/kvd.conf'],
      noContainerService: true,
      useLinks: false,
    });
    assert.deepEqual(manifest, {
      version: '1.0',
      defaultValues: new Map([
        ['LISTEN', '127.0.0.1:2390'],
        ['ADDTL_MOUNTS', ''],
      ]),
      renameFiles: new Map([['/etc/kvd/kvd.conf', '${CONF_DIRECTORY}/${NAME}/kvd.conf']]),
      installedFilesTemplate: ['/etc/kvd/kvd.conf'],
      noContainerService: true,
      useLinks: false,
    });
  });

  it('may lack everything, have nulls, and have more than we know', () => {
    assert.deepEqual(read('{}'), EMPTY_MANIFEST);
    assert.deepEqual(
      read({ defaultValues: null, renameFiles: null, noContainerService: null, version: null }),
      EMPTY_MANIFEST,
    );
    assert.deepEqual(read({ rpm: { x: [1] } }), EMPTY_MANIFEST);
  });

  it('keeps numbers as they are written, and words for true and false', () => {
    const text =
      '{"version": 1.0, "defaultValues": {"A": 10000000000000001, "B": -1.50, "C": 1E+2, "D": true, "E": "2 {3}", "F": "\\"4,5"}}';
    const { version, defaultValues } = read(text);
    assert.equal(version, '1.0');
    assert.deepEqual([...defaultValues.values()], ['10000000000000001', '-1.50', '1E+2', 'true', '2 {3}', '"4,5']);
  });

  it('may have names that objects have', () => {
    assert.equal(read('{"defaultValues": {"__proto__": "x", "constructor": "y"}}').defaultValues.get('__proto__'), 'x');
    assert.equal(read('{}').defaultValues.get('constructor'), undefined);
  });

  for (const [what, text] of [
    ['no JSON', '{'],
    ['empty', ''],
    ['not UTF-8', Buffer.from('{"version": "\xff"}', 'latin1').toString('latin1')],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['with defaults that are a list', '{"defaultValues": []}'],
    ['with a default that is an object', '{"defaultValues": {"A": {}}}'],
    ['with a default that is null', '{"defaultValues": {"A": null}}'],
    ['with a default that has a NUL', '{"defaultValues": {"A": "\\u0000"}}'],
    ['with a new path that is a number', '{"renameFiles": {"/a": 1}}'],
    ['with templates that are a text', '{"installedFilesTemplate": "/a"}'],
    ['with a template that is a number', '{"installedFilesTemplate": [1]}'],
    ['with a word for a truth', '{"noContainerService": "true"}'],
    ['with a number for a truth', '{"useLinks": 0}'],
    ['with a byte order mark', '\ufeff{}'],
    ['with a number of our own making', '{"version": 01}'],
  ] as const) {
    it(`that is ${what} is refused, naming the image`, () => {
      const bytes = Buffer.from(text, what === 'not UTF-8' ? 'latin1' : 'utf8');
      assert.throws(() => parseContainerManifest(bytes, 'example/kvd:1.0'), {
        code: 'BAD_IMAGE_MANIFEST',
        message: /^invalid manifest.json in example\/kvd:1.0: /,
      });
    });
  }

  it('gives a value or a coded error, whatever it is', () => {
    const good = Buffer.from(
      '{"version": 1.0, "defaultValues": {"A": 1, "B": "x\\\\\\""}, "renameFiles": {"/a": "/b"}}',
    );
    const random = seededRandom(7);
    for (let i = 0; i < 5000; i++) {
      try {
        parseContainerManifest(mutate(good, random, Buffer.from('{}[]",:\\ \n0.1e-u\xff\0', 'latin1')), 'i');
      } catch (error) {
        assert.equal(codeOf(error), 'BAD_IMAGE_MANIFEST');
      }
    }
  });
});
