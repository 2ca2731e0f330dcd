/** What of a repository's `config` the world may see: the group `[core]`. Remotes hold addresses and passwords. */

/** The same for every repository that is served: a client needs `mode`, `collection-id`, `indexed-deltas` ... */
export function coreConfig(config: string): string {
  let isCore = false;
  const kept = config.split('\n').filter((line) => {
    const text = line.trim();
    if (text.startsWith('[')) isCore = text === '[core]';
    // Comments are for who wrote them; a parent is a path on this machine, and its objects are served from here.
    return isCore && /^[A-Za-z0-9][-A-Za-z0-9_.]*\s*=/.test(text) && !/^parent\s*=/.test(text);
  });
  return ['[core]', ...kept.map((line) => line.trim()), ''].join('\n');
}
