/**
 * `node --require dist/test/support/block-koffi.cjs ...`: the optional dependency koffi is as if not installed, also in
 * children and workers, for `require` and for `import`.
 */
{
  const Module: typeof import('node:module') & { _resolveFilename: (...args: unknown[]) => string } =
    require('node:module');
  const isKoffi = (request: unknown) => request === 'koffi' || String(request).startsWith('koffi/');

  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (this: unknown, ...args: unknown[]) {
    if (!isKoffi(args[0])) return resolve.apply(this, args);
    throw Object.assign(new Error(`Cannot find module '${args[0]}'`), { code: 'MODULE_NOT_FOUND' });
  };

  const hook = `export async function resolve(request, context, next) {
    if (request !== 'koffi' && !request.startsWith('koffi/')) return next(request, context);
    throw Object.assign(new Error("Cannot find package '" + request + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
  }`;
  Module.register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
