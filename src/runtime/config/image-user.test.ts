import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imageUser } from './image-user.ts';

const FILES = {
  passwd: Buffer.from('root:x:0:0:root:/root:/bin/sh\nkvd:x:90:91:key values:/:/bin/false\nbroken\nodd:x:many:1\n'),
  group: Buffer.from('root:x:0:\nkvd:x:91:\naudio:x:29:root,kvd\nvideo:x:44:kvdx\nusers:x:100:kvd\n'),
};
const user = (text: string, files = FILES) => imageUser(text, files, 'image');

describe('the user of an image', () => {
  for (const [text, uid, gid, additionalGids] of [
    ['', 0, 0, [29]],
    [':5', 0, 5, []],
    ['90', 90, 91, [29, 100]],
    ['kvd', 90, 91, [29, 100]],
    ['1234', 1234, 0, []],
    ['1234:5', 1234, 5, []],
    ['kvd:5', 90, 5, []],
    ['kvd:audio', 90, 29, []],
    ['root', 0, 0, [29]],
  ] as const) {
    it(`${JSON.stringify(text)} is ${uid}:${gid}`, () => assert.deepEqual(user(text), { uid, gid, additionalGids }));
  }

  it('may be a number without any files', () => {
    assert.deepEqual(imageUser('90', {}, 'image'), { uid: 90, gid: 0, additionalGids: [] });
  });

  it('that is in no file is refused, and so is one without a number there', () => {
    for (const text of ['nobody', 'odd', 'broken', 'kvd:nogroup', '-1', '4294967295', '1e3', ':0:']) {
      assert.throws(() => user(text), { code: 'BAD_CONTAINER_CONFIG' }, text);
    }
  });
});
