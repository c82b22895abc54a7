import {
  type APIServer,
  AuthorizeResponse,
  GetRobotTokenResponse,
  GetRoleBindingResponse,
  Permission,
  type Resource,
  ResourceType,
  RevokeAuthTokenResponse,
  WhoAmIResponse,
} from '../../../../proto/gen/auth/auth.ts';
import type { App } from '../app.ts';
import { authorize, checkPrincipal, evaluate, getBinding, modifyBinding, permissionsOf } from '../auth/bindings.ts';
import { resourceTypeName } from '../auth/roles.ts';
import { createRobotToken, revokeToken } from '../auth/tokens.ts';
import { PfsError, refused, within } from '../store/errors.ts';
import type { Calls, Context } from './call.ts';
import type { Guard } from './guard.ts';
import { toTimestamp } from './wire.ts';

const MODIFY: ReadonlyMap<ResourceType, Permission> = new Map([
  [ResourceType.CLUSTER, Permission.CLUSTER_MODIFY_BINDINGS],
  [ResourceType.PROJECT, Permission.PROJECT_MODIFY_BINDINGS],
  [ResourceType.REPO, Permission.REPO_MODIFY_BINDINGS],
]);

export function authService({ db, authOn }: App, calls: Calls, guard: Guard): APIServer {
  const principalOf = ({ caller }: Context): string => {
    if (!authOn || !caller) throw new PfsError('unimplemented', 'the auth service is not activated');
    return caller.principal;
  };
  const given = (resource: Resource | undefined, message: string): Resource => {
    if (resource) return resource;
    throw new PfsError('invalidArgument', `validate request: invalid ${message}.Resource: value is required`);
  };

  return {
    whoAmI: calls.unary((_, context) => {
      const username = principalOf(context);
      const expiresAt = context.caller?.expiresAt ?? 0;
      return WhoAmIResponse.fromPartial({
        username,
        expiration: expiresAt === 0 ? undefined : toTimestamp(expiresAt),
      });
    }),
    authorize: calls.unary(({ resource, permissions }, context) => {
      const principal = principalOf(context);
      const asked = [...new Set(permissions)];
      const { satisfied, missing } = evaluate(db, principal, given(resource, 'AuthorizeRequest'), asked);
      return AuthorizeResponse.fromPartial({
        authorized: missing.length === 0,
        satisfied: [...satisfied],
        missing: [...missing],
        principal,
      });
    }),
    getPermissions: calls.unary(({ resource }, context) => {
      const principal = principalOf(context);
      const asked = given(resource, 'GetPermissionsRequest');
      return within('cannot get permissions for principal: cannot evaluate role binding', () =>
        permissionsOf(db, principal, asked),
      );
    }),
    getPermissionsForPrincipal: calls.unary(({ resource, principal }, context) => {
      principalOf(context);
      guard.cluster(context, Permission.CLUSTER_AUTH_GET_PERMISSIONS_FOR_PRINCIPAL);
      const asked = given(resource, 'GetPermissionsForPrincipalRequest');
      return within('cannot evaluate role binding', () => permissionsOf(db, principal, asked));
    }),
    getRoleBinding: calls.unary(({ resource }, context) => {
      principalOf(context);
      const binding = getBinding(db, given(resource, 'GetRoleBindingRequest'));
      const entries = Object.entries(binding).map(([principal, roles]) => [
        principal,
        { roles: Object.fromEntries(roles.map((role) => [role, true])) },
      ]);
      return GetRoleBindingResponse.fromPartial({ binding: { entries: Object.fromEntries(entries) } });
    }),
    modifyRoleBinding: calls.unary(async ({ resource, principal, roles }, context) => {
      const caller = principalOf(context);
      const asked = given(resource, 'ModifyRoleBindingRequest');
      checkPrincipal(principal);
      if (principal.startsWith('pach:') && asked.type === ResourceType.CLUSTER) {
        throw refused('cannot modify cluster role bindings for pach: users');
      }
      const permission = MODIFY.get(asked.type);
      if (permission === undefined) throw refused(`unknown resource type ${resourceTypeName(asked.type)}`);
      await db.write(() => {
        authorize(db, caller, asked, [permission]);
        modifyBinding(db, asked, principal, roles);
      });
      return {};
    }),
    getRobotToken: calls.unary(async ({ robot, ttl }, context) => {
      principalOf(context);
      guard.cluster(context, Permission.CLUSTER_AUTH_GET_ROBOT_TOKEN);
      const token = await db.write(() => createRobotToken(db, robot, ttl));
      return GetRobotTokenResponse.fromPartial({ token });
    }),
    revokeAuthToken: calls.unary(async ({ token }, context) => {
      principalOf(context);
      const number = await db.write(() => revokeToken(db, token));
      return RevokeAuthTokenResponse.fromPartial({ number });
    }),
  };
}
