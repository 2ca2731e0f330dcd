/** A repository and what stores images in it, for the time of one command. */
import type { Command } from 'commander';
import type { ImageName } from '../../../../images/index.ts';
import type * as Container from '../../../../ostree-container/index.ts';
import type { RepoValues } from '../../../shared-options.ts';
import { type Opened, repositoryCommand } from '../../repo/with-repository.ts';

export interface OpenedStore extends Opened {
  readonly container: typeof Container;
}

/** Commands with `--repo`. @param work its exit status, 0 when it returns nothing */
export function storeCommand<Values extends RepoValues>(
  shape: Command,
  examples: readonly string[],
  work: (values: Values, args: readonly string[], opened: OpenedStore) => Promise<number | undefined>,
): Command {
  return repositoryCommand<Values>(shape, examples, async (values, args, opened) => {
    const container = await import('../../../../ostree-container/index.ts');
    return work(values, args, { ...opened, container });
  });
}

/** As `list` prints it; one that also says whom to trust is as good. @throws OstreeReferenceError */
export function storedName(container: typeof Container, text: string): ImageName {
  const hasTrust = text.startsWith('ostree-');
  return hasTrust ? container.parseOstreeReference(text).image : container.parseContainerReference(text);
}

/** What everybody wants to know who has dropped refs. */
export const OBJECTS_STAY = 'objects are not deleted: "ostree-container repo prune" does that';
