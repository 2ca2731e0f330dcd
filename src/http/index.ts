/** The only sockets of the project: documents, downloads and requests over http and https. */
export { createHttpClient, type HttpClient } from './client.ts';
export type { DocumentOptions, DocumentResult } from './document.ts';
export type { DownloadOptions } from './download.ts';
export { HttpError, type HttpErrorCode, isTemporary } from './error.ts';
export type { Head } from './exchange.ts';
export type { HttpResponse, RequestOptions } from './request.ts';
export type { HttpSettings } from './settings.ts';
