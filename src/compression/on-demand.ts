/** Streams are loaded when they are first used: most programs that deflate objects never see one. */
type Decompress = typeof import('./decompress.ts');
type Gzip = typeof import('./gzip.ts');
type Xz = typeof import('./xz.ts');
type XzProgram = typeof import('./xz-program.ts');

export const decompress: Decompress['decompress'] = async function* (...words) {
  yield* (await import('./decompress.ts')).decompress(...words);
};

export const compressGzip: Gzip['compressGzip'] = async function* (...words) {
  yield* (await import('./gzip.ts')).compressGzip(...words);
};

export const decompressXz: Xz['decompressXz'] = async (...words) => (await import('./xz.ts')).decompressXz(...words);

export const compressXz: XzProgram['compressXz'] = async (...words) =>
  (await import('./xz-program.ts')).compressXz(...words);
