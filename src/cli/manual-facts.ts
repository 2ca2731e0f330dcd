/** What manual pages say beside the definition of a program. */

/** A term and what it means: an environment variable, a file. */
export type Entry = readonly [term: string, meaning: string];

/** What a definition does not say about its program. */
export interface Facts {
  readonly environment: readonly Entry[];
  readonly files: readonly Entry[];
  /** Pages of others, such as `systemd.timer(5)`. */
  readonly seeAlso: readonly string[];
}

const DEBUG: Entry = [
  'TAKO_DEBUG',
  'With the value 1, errors are printed with the place in the program they come from.',
];
const ENVIRONMENT: readonly Entry[] = [
  [
    'HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY',
    'The proxies to use, and the hosts that are reached without one. Small letters are understood too.',
  ],
  ['NO_COLOR', 'When it is set and not empty, nothing is printed in colour.'],
  ['SSL_CERT_FILE', 'The certificate authorities to trust, in one file, unless an option names another.'],
];

const TAKO: Facts = {
  environment: [
    ['TAKO_SECRET_KEY', 'The secret key to sign with, when neither --key nor --key-file is given.'],
    DEBUG,
    ...ENVIRONMENT,
  ],
  files: [
    ['/etc/tako/NAME', 'The configuration of one image. It must belong to root, and nobody else may write to it.'],
    ['~/.config/tako/NAME', 'The same for everybody but root.'],
    ['/var/lib/images', 'Where the units that come with this program may write images to.'],
  ],
  seeAlso: ['systemd.exec(5)', 'systemd.timer(5)', 'systemd.time(7)'],
};

const OSTREE_CONTAINER: Facts = {
  environment: [
    ['OSTREE_REPO', 'The repository, for the commands that take --repo, when that is not given.'],
    ['REGISTRY_AUTH_FILE', 'The file with credentials for registries, when --authfile is not given.'],
    ['CONTAINERS_REGISTRIES_CONF', 'The registries.conf to use, when --registries-conf is not given.'],
    ['COSIGN_PASSWORD', 'The passphrase of a private key of cosign, when no file with it is given.'],
    DEBUG,
    ...ENVIRONMENT,
  ],
  files: [
    ['REPOSITORY/config', 'The settings of a repository and its remotes.'],
    ['REPOSITORY/refs', 'The names of commits: those made here in heads, those of others in remotes.'],
    ['/etc/containers/policy.json', 'Which images may be used; for others than root also ~/.config/containers.'],
    ['/etc/containers/registries.conf', 'How registries are reached: mirrors, short names, insecure ones.'],
  ],
  seeAlso: ['ostree(1)', 'ostree.repo(5)', 'skopeo(1)', 'containers-policy.json(5)', 'containers-registries.conf(5)'],
};

const OS_CONTAINERS: Facts = {
  environment: [
    ['OSTREE_REPO, ATOMIC_OSTREE_REPO', 'The repository of the images, when --repo is not given.'],
    [
      'OS_CONTAINERS_CHECKOUT_PATH, ATOMIC_OSTREE_CHECKOUT_PATH',
      'Where deployments lie, when --checkouts is not given.',
    ],
    ['RUNTIME', 'The OCI runtime, when --runtime is not given.'],
    ['XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR', 'Where the files of anybody but root lie.'],
    ['REGISTRY_AUTH_FILE', 'The file with credentials for registries, when --authfile is not given.'],
    DEBUG,
    ...ENVIRONMENT,
  ],
  files: [
    ['/etc/os-containers.conf', 'Settings. For others than root: ~/.config/os-containers.conf.'],
    ['/var/lib/containers/atomic', 'Deployments: NAME is a link to the active one of NAME.0, NAME.1.'],
    ['/var/lib/containers/atomic/.storage/repo', 'The repository of the images.'],
    ['/etc/systemd/system/NAME.service', 'The unit of a container, made from its image.'],
    ['/etc/tmpfiles.d/NAME.conf', 'Directories that it needs.'],
    ['/etc/containers/policy.json', 'Which images may be used; for others than root also ~/.config/containers.'],
  ],
  seeAlso: ['systemctl(1)', 'systemd.service(5)', 'tmpfiles.d(5)', 'runc(8)', 'containers-policy.json(5)'],
};

const FACTS: Readonly<Record<string, Facts>> = {
  tako: TAKO,
  'ostree-container': OSTREE_CONTAINER,
  'os-containers': OS_CONTAINERS,
};

export function factsOf(program: string): Facts {
  return FACTS[program] ?? { environment: [DEBUG, ...ENVIRONMENT], files: [], seeAlso: [] };
}
