/** The only sockets of the project: documents, downloads and requests over http and https. */
export { createHttpClient, type HttpClient } from './client.ts';
export { HttpError, type HttpErrorCode, isTemporary } from './error.ts';
export type { Head } from './exchange/exchange.ts';
export type { DocumentOptions, DocumentResult } from './requests/document.ts';
export type { DownloadOptions } from './requests/download.ts';
export type { HttpResponse, RequestOptions } from './requests/request.ts';
export type { HttpSettings } from './settings.ts';
