import type { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { App } from '../app.ts';
import { authorize, CLUSTER, projectResource, repoResource } from '../auth/bindings.ts';
import type { RepoRef } from '../store/names.ts';
import type { Context } from './call.ts';

/** Permission checks. While auth is off everything is allowed. */
export interface Guard {
  readonly repo: (context: Context, repo: RepoRef, ...permissions: readonly Permission[]) => void;
  readonly project: (context: Context, project: string, ...permissions: readonly Permission[]) => void;
  readonly cluster: (context: Context, ...permissions: readonly Permission[]) => void;
}

export function createGuard({ db, authOn }: App): Guard {
  const principal = (context: Context) => (authOn ? context.requireCaller()?.principal : undefined);
  return {
    repo: (context, repo, ...permissions) => {
      const who = principal(context);
      if (who !== undefined) authorize(db, who, repoResource(repo), permissions);
    },
    project: (context, project, ...permissions) => {
      const who = principal(context);
      if (who !== undefined) authorize(db, who, projectResource(project), permissions);
    },
    cluster: (context, ...permissions) => {
      const who = principal(context);
      if (who !== undefined) authorize(db, who, CLUSTER, permissions);
    },
  };
}
