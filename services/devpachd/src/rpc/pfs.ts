import type { APIServer } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import type { Calls } from './call.ts';
import type { Guard } from './guard.ts';
import { createOpen } from './open.ts';
import { branchMethods } from './pfs-branches.ts';
import { commitSetMethods } from './pfs-commit-sets.ts';
import { commitMethods } from './pfs-commits.ts';
import { contentMethods } from './pfs-content.ts';
import { fileSetMethods } from './pfs-file-sets.ts';
import { listingMethods } from './pfs-listing.ts';
import { modifyMethods } from './pfs-modify.ts';
import { projectMethods } from './pfs-projects.ts';
import { repoMethods } from './pfs-repos.ts';

/** pfs_v2.API. `openCalls` are for the one call of it that needs no token. */
export function pfsService(app: App, calls: Calls, openCalls: Calls, guard: Guard): APIServer {
  const open = createOpen(app, guard);
  return {
    ...projectMethods(app, calls, guard),
    ...repoMethods(app, calls, guard),
    ...branchMethods(app, calls, guard),
    ...commitMethods(app, calls, guard),
    ...commitSetMethods(app, calls, guard),
    ...modifyMethods(app, calls, guard, open),
    ...contentMethods(app, calls, open, openCalls),
    ...listingMethods(app, calls, guard, open),
    ...fileSetMethods(app, calls, open),
  };
}
