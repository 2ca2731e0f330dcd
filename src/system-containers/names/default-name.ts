/** The name of a container when none is given: `docker.io/gscrivano/etcd:v2` makes `etcd-v2`. */
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';
import { isContainerName } from './name.ts';

/**
 * The last part of the repository, plus `-TAG` unless the tag is `latest`; transport and digest do not count.
 * @throws ContainerError BAD_CONTAINER_NAME when that is no name
 */
export function defaultName(reference: string): string {
  const plain = reference.replace(/^[a-z-]+:(?:\/\/)?(?=.*\/|[^:]*:)/, '').replace(/@.*$/s, '');
  const last = plain.slice(plain.lastIndexOf('/') + 1);
  const [repository = '', tag = 'latest'] = last.split(':');
  const name = tag === 'latest' ? repository : `${repository}-${tag}`;
  if (isContainerName(name)) return name;
  throw new ContainerError('BAD_CONTAINER_NAME', `${quote(reference)} gives no name for a container`, {
    hint: 'write --name NAME',
    subject: reference,
  });
}
