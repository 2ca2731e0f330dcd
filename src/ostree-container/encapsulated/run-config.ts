/** The file of `--config`: the field `config` of an OCI image configuration, as a document of its own. */
import { explain } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { OciError, parseConfig, type RunConfig } from '../../oci/index.ts';
import { EncapsulatedError } from './error.ts';

/** @param path for errors @throws EncapsulatedError BAD_CONTAINER_CONFIG */
export function parseRunConfig(bytes: Uint8Array, path: string): RunConfig {
  const around = [Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]},"config":'), bytes, Buffer.from('}')];
  try {
    JSON.parse(Buffer.from(bytes).toString('utf8')); // a document that closes its brace early would be another one
    return parseConfig(Buffer.concat(around)).config ?? {};
  } catch (cause) {
    if (!(cause instanceof OciError) && !(cause instanceof SyntaxError)) throw cause;
    const text = `${printable(path)}: expected the "config" of an OCI image configuration: ${printable(explain(cause))}`;
    throw new EncapsulatedError('BAD_CONTAINER_CONFIG', text, { subject: path });
  }
}
