/** Paths of the contract in the root file system of an image. */
export const CONTRACT = {
  exports: 'exports',
  manifest: 'exports/manifest.json',
  config: 'exports/config.json',
  configTemplate: 'exports/config.json.template',
  unit: 'exports/service.template',
  tmpfiles: 'exports/tmpfiles.template',
  hostFiles: 'exports/hostfs',
  check: 'exports/check',
} as const;
