/** Types that the declarations of `openpgp` name but that its package leaves out; bytes here never come as streams. */
declare module '@openpgp/web-stream-tools' {
  export type WebStream<T> = AsyncIterable<T>;
  export type NodeWebStream<T> = AsyncIterable<T>;
}
