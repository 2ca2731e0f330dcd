/** What the crash test of layouts writes: the second takes the tag of the first. */
import { noise, type SampleImage } from '../support/oci-image.ts';

export const OLD_IMAGE: SampleImage = { tag: 'one' };
export const NEW_IMAGE: SampleImage = {
  tag: 'one',
  layers: [[{ path: 'a', content: noise(100_000) }], [{ path: 'b', content: 'b' }]],
};
