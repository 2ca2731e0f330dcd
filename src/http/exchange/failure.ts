/** What undici, the sockets and OpenSSL call their failures, in our words. */
import { codeOf } from '../../base/error.ts';
import { showUrl } from '../connection/url.ts';
import { HttpError } from '../error.ts';

const TLS =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_(CA|PURPOSE)|EPROTO$|HOSTNAME_|PATH_LENGTH_|UND_ERR_PRX_TLS)/;
const TLS_HINT =
  'for a server with a certificate of a private authority, name the file with that authority (--cacert or SSL_CERT_FILE)';

/** `sent` tells whether the request was on its way: before that, whatever happened, there was no connection. */
export function explainFailure(error: unknown, url: URL, sent: boolean): unknown {
  const subject = showUrl(url);
  const wrap = (...[code, message, hint]: [HttpError['code'], string, string?]): HttpError =>
    new HttpError(code, `${subject}: ${message}`, { cause: error, subject, hint });
  if (error instanceof HttpError) return wrap(error.code, 'not connected', error.hint);
  const code = codeOf(error) ?? '';
  if (TLS.test(code))
    return wrap('HTTP_TLS', 'no trusted connection', code.startsWith('ERR_SSL_') ? undefined : TLS_HINT);
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return wrap('HTTP_CLOSED', 'the http client was closed');
  const refusal = proxyRefusal(error);
  if (refusal !== undefined)
    return wrap(refusal === 407 ? 'HTTP_BAD_PROXY' : 'HTTP_UNREACHABLE', `the proxy answered ${refusal}`);
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || isForeign(error)) {
    return wrap('HTTP_PROTOCOL', 'not an HTTP response');
  }
  if (/^UND_ERR_(INVALID_ARG|INVALID_RETURN_VALUE|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH)$/.test(code)) return error;
  if (!sent && code !== 'ECONNRESET' && !code.startsWith('UND_ERR_SOCKET'))
    return wrap('HTTP_UNREACHABLE', 'not reachable');
  return wrap('HTTP_INTERRUPTED', 'connection lost');
}

/** Something other than HTTP came; a body that breaks off also confuses the parser, but is an interruption. */
function isForeign(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError' && !/EOF|closed/i.test(error.message);
}

/** undici tells the answer of a proxy only in its text. */
function proxyRefusal(error: unknown): number | undefined {
  const text = error instanceof Error ? error.message : '';
  const status = /^Proxy response \(([0-9]{3})\)|^Proxy Authentication Required \((407)\)/.exec(text);
  return status === null ? undefined : Number(status[1] ?? status[2]);
}
