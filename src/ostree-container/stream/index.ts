/** The export stream of format v1, written and read; spec 2.1 to 2.3. */
export { checkedContent } from './checked-content.ts';
export { StreamError, type StreamErrorCode } from './error.ts';
export { type ExportTarOptions, exportTar } from './export/export-tar.ts';
export { Gathered, type Sink } from './export/gathered.ts';
export { containerXattrs } from './export/pax-xattrs.ts';
export { type StreamCounts, StreamWriter } from './export/stream-writer.ts';
export { contentTargets } from './export/tree-steps.ts';
export { type CommitHead, readHead, verifyHead } from './import/commit-head.ts';
export { type ImportedObjects, type ImportObjectsOptions, importObjects } from './import/import-objects.ts';
export { type ImportedTar, type ImportTarOptions, importTar } from './import/import-tar.ts';
export { ObjectStream } from './import/object-stream.ts';
export { publishCommit } from './import/publish-commit.ts';
export { moreExactly } from './import/signature-refusal.ts';
export { putTreeObject } from './import/tree-object.ts';
export { STREAM_LIMITS, type StreamLimits } from './limits.ts';
