/** The files of an image in a directory, from a layout on the same file system. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { replaceFile } from '../../linux/files/durable.ts';
import { type Digest, splitDigest } from '../digest.ts';
import type { LayoutWriter } from '../layout/layout-writer.ts';
import type { RawManifest } from '../manifest.ts';
import { blobFile, MANIFEST_FILE, memberFile, signatureFile, VERSION_FILE, VERSION_TEXT } from './names.ts';

const MODE = 0o644;

export interface DirectoryContent {
  readonly layout: LayoutWriter;
  readonly blobs: ReadonlyMap<Digest, 'blob' | 'manifest'>;
  readonly signatures: ReadonlyMap<Digest, readonly Uint8Array[]>;
  readonly raw: RawManifest;
}

export function fillDirectory(image: Directory, { layout, blobs, signatures, raw }: DirectoryContent): void {
  for (const [digest, kind] of blobs) {
    const { algorithm, hex } = splitDigest(digest);
    const staged = `${layout.path}/blobs/${algorithm}/${hex}`;
    if (digest !== raw.digest) take(staged, image, kind === 'blob' ? blobFile(digest) : memberFile(digest));
  }
  for (const [digest, list] of signatures) {
    const member = digest === raw.digest ? undefined : digest;
    for (const [i, bytes] of list.entries()) write(image, signatureFile(member, i + 1), bytes);
  }
  write(image, MANIFEST_FILE, raw.bytes);
  write(image, VERSION_FILE, Buffer.from(VERSION_TEXT));
  image.sync();
}

/** A second name, so that a kill before the end loses no blob; a file system without links moves it. */
function take(staged: string, image: Directory, name: string): void {
  naming(image.pathOf(name), () => {
    try {
      fs.linkSync(staged, image.at(name));
    } catch (error) {
      if (codeOf(error) !== 'EPERM' && codeOf(error) !== 'ENOTSUP') throw error;
      fs.renameSync(staged, image.at(name));
    }
  });
}

function write(directory: Directory, name: string, bytes: Uint8Array): void {
  replaceFile({ directory, name }, { directory, name: `.${name}.new` }, bytes, MODE);
}
