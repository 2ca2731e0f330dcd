/** `remote add-cookie`, `remote delete-cookie` and `remote list-cookies`. */
import { Command } from 'commander';
import { type LockValues, type RepoValues, repoLockOption } from '../../../shared-options.ts';
import { repositoryCommand, underLock } from '../with-repository.ts';

interface ChangeValues extends RepoValues, LockValues {
  readonly dryRun?: true;
}

/** As far as the program ostree: 25 years. */
const LIFETIME_S = 25 * 365 * 24 * 3600;

export function remoteAddCookieCommand(): Command {
  const shape = new Command('add-cookie')
    .description('Send a cookie with requests to a remote. The value is seen in the list of processes while this runs.')
    .argument('<name>', 'name of the remote')
    .argument('<domain>', 'host, with a dot in front also its subdomains')
    .argument('<path>', 'path on the server')
    .argument('<cookie>', 'name of the cookie')
    .argument('<value>', 'its value')
    .option('--dry-run', 'look whether it could be added, change nothing');
  const examples = ['ostree-container repo remote add-cookie --repo /srv/repo origin example.com / token SECRET'];
  return repositoryCommand<ChangeValues>(repoLockOption(shape), examples, async (values, args, opened) => {
    const { ostree, repository, output } = opened;
    const dryRun = values.dryRun === true;
    const [remote = '', domain = '', path = '', name = '', value = ''] = args;
    ostree.readRemote(repository, remote);
    const expires = Math.floor(Date.now() / 1000) + LIFETIME_S;
    const place = { domain: domain.replace(/^\./, ''), hasSubdomains: domain.startsWith('.'), path };
    const cookie = { ...place, isSecure: false, expires, name, value };
    await underLock(opened, 'exclusive', values, () => ostree.addCookie(repository, remote, cookie, dryRun));
    output.info(`cookie ${name} of remote ${remote} ${dryRun ? 'would be ' : ''}added`);
    output.document('ostree-container.repo-remote-add-cookie/1', { remote, dryRun, domain, path, cookie: name });
    return 0;
  });
}

export function remoteDeleteCookieCommand(): Command {
  const shape = new Command('delete-cookie')
    .description('Delete a cookie of a remote.')
    .argument('<name>', 'name of the remote')
    .argument('<domain>', 'host that it is for')
    .argument('<path>', 'path that it is for')
    .argument('<cookie>', 'name of the cookie')
    .option('--dry-run', 'look whether there is such a cookie, change nothing');
  const examples = ['ostree-container repo remote delete-cookie --repo /srv/repo origin example.com / token'];
  return repositoryCommand<ChangeValues>(repoLockOption(shape), examples, async (values, args, opened) => {
    const { ostree, repository, output } = opened;
    const dryRun = values.dryRun === true;
    const [remote = '', domain = '', path = '', name = ''] = args;
    ostree.readRemote(repository, remote);
    let isDeleted = false;
    await underLock(opened, 'exclusive', values, () => {
      isDeleted = ostree.deleteCookie(repository, remote, { domain, path, name }, dryRun);
    });
    if (!isDeleted) {
      throw new ostree.OstreeError('PATH_MISSING', `remote ${remote} has no such cookie`, { subject: name });
    }
    output.info(`cookie ${name} of remote ${remote} ${dryRun ? 'would be ' : ''}deleted`);
    output.document('ostree-container.repo-remote-delete-cookie/1', { remote, dryRun, domain, path, cookie: name });
    return 0;
  });
}

export function remoteListCookiesCommand(): Command {
  const shape = new Command('list-cookies')
    .description('List the cookies of a remote, without their values.')
    .argument('<name>', 'name of the remote');
  const examples = ['ostree-container repo remote list-cookies --repo /srv/repo origin'];
  return repositoryCommand<RepoValues>(shape, examples, async (_values, [remote = ''], opened) => {
    const { ostree, repository, output } = opened;
    ostree.readRemote(repository, remote);
    const cookies = ostree.readCookies(repository, remote).map(({ domain, hasSubdomains, path, name, expires }) => ({
      domain: hasSubdomains ? `.${domain}` : domain,
      path,
      name,
      expires: expires === 0 ? null : new Date(expires * 1000).toISOString(),
    }));
    for (const { domain, path, name, expires } of cookies) {
      output.result(`${domain}  ${path}  ${name}  ${expires ?? 'for ever'}`);
    }
    output.document('ostree-container.repo-remote-list-cookies/1', { remote, cookies });
    return 0;
  });
}
