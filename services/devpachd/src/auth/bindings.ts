import { type Permission, ResourceType } from '../../../../proto/gen/auth/auth.ts';
import type { Db } from '../store/db.ts';
import { PfsError, refused } from '../store/errors.ts';
import { DEFAULT_PROJECT } from '../store/names.ts';
import type { BindingRecord } from '../store/records.ts';
import { permissionName, ROLES, resourceTypeName } from './roles.ts';

export interface Resource {
  readonly type: ResourceType;
  readonly name: string;
}

export const CLUSTER: Resource = { type: ResourceType.CLUSTER, name: '' };
export const ROOT = 'pach:root';
const ALL_USERS = 'allClusterUsers';
const PREFIXES: ReadonlySet<string> = new Set(['pipeline', 'internal', 'robot', 'pach', 'user', 'group']);

export function projectResource(name: string): Resource {
  return { type: ResourceType.PROJECT, name };
}

export function repoResource(repo: {
  readonly project: string;
  readonly name: string;
  readonly type: string;
}): Resource {
  const type = repo.type === 'spec' ? ResourceType.SPEC_REPO : ResourceType.REPO;
  return { type, name: `${repo.project}/${repo.name}` };
}

function keyOf(resource: Resource): string {
  return `${resourceTypeName(resource.type)}:${resource.name}`;
}

function noBinding(resource: Resource): PfsError {
  return refused(`no role binding exists for ${resourceTypeName(resource.type)} ${resource.name}`);
}

export function getBinding(db: Db, resource: Resource): BindingRecord {
  return db.bindings.get(keyOf(resource)) ?? {};
}

/** What a new cluster has: an administrator, and users who may make projects, and repos in the default one. */
export function createFirstBindings(db: Db): void {
  if (db.bindings.get(keyOf(CLUSTER))) return;
  db.bindings.put(keyOf(CLUSTER), {
    'internal:auth-server': ['clusterAdmin'],
    [ALL_USERS]: ['projectCreator'],
    [ROOT]: ['clusterAdmin'],
  });
  for (const { key } of db.projects.getRange()) createBinding(db, projectResource(key), undefined);
  db.bindings.put(keyOf(projectResource(DEFAULT_PROJECT)), { [ALL_USERS]: ['projectWriter'] });
  for (const { value } of db.repos.getRange()) createBinding(db, repoResource({ ...value, type: 'user' }), undefined);
}

/** Only inside a transaction; does nothing when the resource has a binding. */
export function createBinding(
  db: Db,
  resource: Resource,
  owner: { readonly principal: string; readonly role: string } | undefined,
): void {
  if (db.bindings.get(keyOf(resource))) return;
  db.bindings.put(keyOf(resource), owner ? { [owner.principal]: [owner.role] } : {});
}

export function removeBinding(db: Db, resource: Resource): void {
  db.bindings.remove(keyOf(resource));
}

/** Sets the whole of a principal's roles; none removes it. Only inside a transaction. */
export function modifyBinding(db: Db, resource: Resource, principal: string, roles: readonly string[]): void {
  for (const role of roles) if (!ROLES.has(role)) throw refused(`unknown role "${role}"`);
  const binding = db.bindings.get(keyOf(resource));
  if (!binding) throw noBinding(resource);
  const { [principal]: _, ...others } = binding;
  db.bindings.put(keyOf(resource), roles.length === 0 ? others : { ...others, [principal]: roles });
}

export function checkPrincipal(principal: string): void {
  if (principal === ALL_USERS) return;
  const colon = principal.indexOf(':');
  if (colon < 0) throw refused('subject has no prefix, must be of the form <type>:<name>');
  if (!PREFIXES.has(principal.slice(0, colon))) {
    throw refused(`subject has unrecognized prefix: ${principal.slice(0, colon + 1)}`);
  }
}

export interface Evaluation {
  readonly roles: ReadonlySet<string>;
  readonly satisfied: readonly Permission[];
  readonly missing: readonly Permission[];
}

/**
 * Looks through the bindings that bear on a resource, from the cluster down, until all of the permissions are found. Throws when it has to
 * look at one that does not exist.
 */
export function evaluate(
  db: Db,
  principal: string,
  resource: Resource,
  permissions: readonly Permission[],
): Evaluation {
  const missing = new Set(permissions);
  const roles = new Set<string>();
  const satisfied: Permission[] = [];
  const apply = (binding: BindingRecord) => {
    for (const subject of [principal, ALL_USERS]) {
      if (missing.size === 0 && subject === ALL_USERS) return;
      for (const role of binding[subject] ?? []) {
        if (roles.has(role)) continue;
        roles.add(role);
        for (const permission of ROLES.get(role)?.permissions ?? []) {
          if (missing.delete(permission)) satisfied.push(permission);
        }
      }
    }
  };
  const result = (): Evaluation => ({ roles, satisfied, missing: [...missing] });
  const done = () => missing.size === 0;

  let asked = resource;
  if (asked.type === ResourceType.SPEC_REPO) {
    apply({ [ALL_USERS]: ['repoReader'] });
    if (done()) return result();
    asked = { type: ResourceType.REPO, name: asked.name };
  }
  apply(getBinding(db, CLUSTER));
  if (done() || asked.type === ResourceType.CLUSTER) return result();
  if (asked.type === ResourceType.REPO) {
    const [project, repo, ...rest] = asked.name.split('/');
    if (project === undefined || repo === undefined || rest.length > 0) {
      throw refused(`invalid resource name ${asked.name}`);
    }
    const above = projectResource(project);
    const binding = db.bindings.get(keyOf(above));
    if (!binding) throw noBinding(above);
    apply(binding);
    if (done()) return result();
  }
  const binding = db.bindings.get(keyOf(asked));
  if (!binding) throw noBinding(asked);
  apply(binding);
  return result();
}

/** Throws unless the principal has all of the permissions. */
export function authorize(db: Db, principal: string, resource: Resource, permissions: readonly Permission[]): void {
  if (evaluate(db, principal, resource, permissions).missing.length === 0) return;
  const needs = permissions.map(permissionName).join(' ');
  throw new PfsError(
    'permissionDenied',
    `${principal} is not authorized to perform this operation - needs permissions [${needs}] on ${resourceTypeName(resource.type)} ${resource.name}. Run \`pachctl auth roles-for-permission\` to find roles that grant a given permission.`,
  );
}

/** All that a principal may do with a resource, as far as its roles are ones of that kind of resource. */
export function permissionsOf(
  db: Db,
  principal: string,
  resource: Resource,
): { readonly permissions: Permission[]; readonly roles: string[] } {
  // -1 is no permission, so this looks through all bindings.
  const { roles } = evaluate(db, principal, resource, [-1 as Permission]);
  const type = resource.type === ResourceType.SPEC_REPO ? ResourceType.REPO : resource.type;
  const named = [...roles].filter((role) => ROLES.get(role)?.returnedFor.includes(type)).sort();
  const permissions = new Set(named.flatMap((role) => ROLES.get(role)?.permissions ?? []));
  return { permissions: [...permissions], roles: named };
}
