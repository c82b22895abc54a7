import { Permission } from '../../../../proto/gen/auth/auth.ts';
import { type APIServer, InspectProjectV2Response, type ProjectInfo } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { createBinding, permissionsOf, projectResource, removeBinding } from '../auth/bindings.ts';
import { PfsError, prefixed, refused, within } from '../store/errors.ts';
import { checkProjectName, quoted, repoText } from '../store/names.ts';
import { createProject, findProject, getProject, listProjects, updateProject } from '../store/projects.ts';
import { listRepos, repoRef } from '../store/repos.ts';
import type { Calls, Context } from './call.ts';
import type { Guard } from './guard.ts';
import { fromProject } from './wire.ts';

type Methods = Pick<
  APIServer,
  'createProject' | 'inspectProject' | 'inspectProjectV2' | 'listProject' | 'deleteProject'
>;

function required(message: string, field: string): PfsError {
  return new PfsError('invalidArgument', `validate request: invalid ${message}.${field}: value is required`);
}

export function projectMethods({ db, authOn }: App, calls: Calls, guard: Guard): Methods {
  const inspect = (name: string, { caller }: Context): ProjectInfo => {
    const info = fromProject(within(`error getting project ${quoted(name)}`, () => getProject(db, name)));
    return caller ? { ...info, authInfo: permissionsOf(db, caller.principal, projectResource(name)) } : info;
  };

  return {
    createProject: calls.unary(async ({ project, description, update }, context) => {
      guard.cluster(context, Permission.PROJECT_CREATE);
      await db.write(() => {
        within('invalid project name', () => checkProjectName(project?.name));
        const name = project?.name ?? '';
        if (update) return within(`get project ${name}`, () => updateProject(db, name, description));
        createProject(db, name, description, context.caller?.principal ?? '');
        if (!context.caller) return undefined;
        const owner = { principal: context.caller.principal, role: 'projectOwner' };
        return createBinding(db, projectResource(name), owner);
      });
      return {};
    }),
    inspectProject: calls.unary(({ project }, context) => {
      if (!project) throw required('InspectProjectRequest', 'Project');
      return inspect(project.name, context);
    }),
    inspectProjectV2: calls.unary(({ project }, context) => {
      if (!project) throw required('InspectProjectV2Request', 'Project');
      const info = within(`could not inspect project ${quoted(project.name)}`, () => inspect(project.name, context));
      return InspectProjectV2Response.fromPartial({ info, defaultsJson: '{}' });
    }),
    listProject: calls.stream(async (_, context, send) => {
      for (const { name } of listProjects(db)) await send(inspect(name, context));
    }),
    deleteProject: calls.unary(async ({ project, force }, context) => {
      within('invalid project name', () => checkProjectName(project?.name));
      const name = project?.name ?? '';
      try {
        guard.project(context, name, Permission.PROJECT_DELETE, Permission.PROJECT_MODIFY_BINDINGS);
      } catch (error) {
        throw prefixed(`user is not authorized to delete project "${name}"`, error);
      }
      await db.write(() => {
        const repos = listRepos(db, [name], '');
        if (repos.length > 0 && !force) {
          const lines = repos.map((repo) => `repo ${repoText(repoRef(repo))} still exists`);
          throw new PfsError('failedPrecondition', `cannot delete project ${name}: ${lines.join('\n')}`);
        }
        within(`delete project "${name}"`, () => findProject(db, name));
        if (repos.length > 0) {
          throw refused(
            `delete project "${name}": delete project: ERROR: update or delete on table "projects" violates foreign key constraint "repos_project_id_fkey" on table "repos" (SQLSTATE 23503)`,
          );
        }
        db.projects.remove(name);
        if (authOn) removeBinding(db, projectResource(name));
      });
      return {};
    }),
  };
}
