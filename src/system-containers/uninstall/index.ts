/** A container taken away, also one that is broken (spec system-containers 17). */
export {
  planRemoval,
  type Uninstalled,
  type UninstallPlan,
  type UninstallRequest,
  uninstallContainer,
} from './uninstall.ts';
