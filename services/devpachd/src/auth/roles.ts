import { Permission, ResourceType } from '../../../../proto/gen/auth/auth.ts';

export interface Role {
  readonly permissions: readonly Permission[];
  /** For which kinds of resource GetPermissions names the role. */
  readonly returnedFor: readonly ResourceType[];
}

const P = Permission;
const { CLUSTER, PROJECT, REPO, JOB } = ResourceType;

const repoReader = [
  P.REPO_READ,
  P.REPO_INSPECT_COMMIT,
  P.REPO_LIST_COMMIT,
  P.REPO_LIST_BRANCH,
  P.REPO_LIST_FILE,
  P.REPO_INSPECT_FILE,
  P.REPO_ADD_PIPELINE_READER,
  P.REPO_REMOVE_PIPELINE_READER,
  P.PIPELINE_LIST_JOB,
];
const repoWriter = [
  ...repoReader,
  P.REPO_WRITE,
  P.REPO_DELETE_COMMIT,
  P.REPO_CREATE_BRANCH,
  P.REPO_DELETE_BRANCH,
  P.REPO_ADD_PIPELINE_WRITER,
];
const repoOwner = [...repoWriter, P.REPO_MODIFY_BINDINGS, P.REPO_DELETE];
const oidcAppAdmin = [
  P.CLUSTER_IDENTITY_DELETE_OIDC_CLIENT,
  P.CLUSTER_IDENTITY_CREATE_OIDC_CLIENT,
  P.CLUSTER_IDENTITY_UPDATE_OIDC_CLIENT,
  P.CLUSTER_IDENTITY_LIST_OIDC_CLIENTS,
  P.CLUSTER_IDENTITY_GET_OIDC_CLIENT,
];
const idpAdmin = [
  P.CLUSTER_IDENTITY_CREATE_IDP,
  P.CLUSTER_IDENTITY_UPDATE_IDP,
  P.CLUSTER_IDENTITY_LIST_IDPS,
  P.CLUSTER_IDENTITY_GET_IDP,
  P.CLUSTER_IDENTITY_DELETE_IDP,
];
const identityAdmin = [P.CLUSTER_IDENTITY_SET_CONFIG, P.CLUSTER_IDENTITY_GET_CONFIG];
const jobAdmin = [P.JOB_SKIP_CTX];
const debuggers = [P.CLUSTER_DEBUG_DUMP, P.CLUSTER_GET_PACHD_LOGS, P.CLUSTER_GET_LOKI_LOGS];
const robotUser = [P.CLUSTER_AUTH_GET_ROBOT_TOKEN];
const licenseAdmin = [
  P.CLUSTER_LICENSE_ACTIVATE,
  P.CLUSTER_LICENSE_GET_CODE,
  P.CLUSTER_LICENSE_ADD_CLUSTER,
  P.CLUSTER_LICENSE_UPDATE_CLUSTER,
  P.CLUSTER_LICENSE_DELETE_CLUSTER,
  P.CLUSTER_LICENSE_LIST_CLUSTERS,
];
const secretAdmin = [P.CLUSTER_CREATE_SECRET, P.CLUSTER_LIST_SECRETS, P.SECRET_INSPECT, P.SECRET_DELETE];
const projectViewer = [P.PROJECT_LIST_REPO];
const projectWriter = [...projectViewer, P.PROJECT_CREATE_REPO];
const projectOwner = [
  ...repoOwner,
  ...projectWriter,
  P.PROJECT_DELETE,
  P.PROJECT_MODIFY_BINDINGS,
  P.PROJECT_SET_DEFAULTS,
];
const projectCreator = [P.PROJECT_CREATE];
const clusterAdmin = [
  ...projectOwner,
  ...oidcAppAdmin,
  ...idpAdmin,
  ...identityAdmin,
  ...debuggers,
  ...robotUser,
  ...licenseAdmin,
  ...secretAdmin,
  ...projectCreator,
  ...jobAdmin,
  P.CLUSTER_MODIFY_BINDINGS,
  P.CLUSTER_GET_BINDINGS,
  P.CLUSTER_AUTH_ACTIVATE,
  P.CLUSTER_AUTH_DEACTIVATE,
  P.CLUSTER_AUTH_GET_CONFIG,
  P.CLUSTER_AUTH_SET_CONFIG,
  P.CLUSTER_AUTH_MODIFY_GROUP_MEMBERS,
  P.CLUSTER_AUTH_GET_GROUPS,
  P.CLUSTER_AUTH_GET_GROUP_USERS,
  P.CLUSTER_AUTH_EXTRACT_TOKENS,
  P.CLUSTER_AUTH_RESTORE_TOKEN,
  P.CLUSTER_AUTH_ROTATE_ROOT_TOKEN,
  P.CLUSTER_AUTH_DELETE_EXPIRED_TOKENS,
  P.CLUSTER_AUTH_GET_PERMISSIONS_FOR_PRINCIPAL,
  P.CLUSTER_AUTH_REVOKE_USER_TOKENS,
  P.CLUSTER_ENTERPRISE_ACTIVATE,
  P.CLUSTER_ENTERPRISE_HEARTBEAT,
  P.CLUSTER_ENTERPRISE_GET_CODE,
  P.CLUSTER_ENTERPRISE_DEACTIVATE,
  P.CLUSTER_DELETE_ALL,
  P.CLUSTER_ENTERPRISE_PAUSE,
  P.CLUSTER_SET_DEFAULTS,
  P.CLUSTER_EDIT_CLUSTER_METADATA,
  P.CLUSTER_SNAPSHOTTER,
  P.CLUSTER_RESTART_PACHYDERM,
];

/** pachd's roles, and what each allows. */
export const ROLES: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['repoReader', { permissions: repoReader, returnedFor: [REPO] }],
  ['repoWriter', { permissions: repoWriter, returnedFor: [REPO] }],
  ['repoOwner', { permissions: repoOwner, returnedFor: [REPO] }],
  ['oidcAppAdmin', { permissions: oidcAppAdmin, returnedFor: [CLUSTER] }],
  ['idpAdmin', { permissions: idpAdmin, returnedFor: [CLUSTER] }],
  ['identityAdmin', { permissions: identityAdmin, returnedFor: [CLUSTER] }],
  ['jobAdmin', { permissions: jobAdmin, returnedFor: [JOB, CLUSTER] }],
  ['debugger', { permissions: debuggers, returnedFor: [CLUSTER] }],
  ['lokiLogReader', { permissions: [P.CLUSTER_GET_LOKI_LOGS], returnedFor: [CLUSTER] }],
  ['robotUser', { permissions: robotUser, returnedFor: [CLUSTER] }],
  ['licenseAdmin', { permissions: licenseAdmin, returnedFor: [CLUSTER] }],
  ['secretAdmin', { permissions: secretAdmin, returnedFor: [CLUSTER] }],
  ['pachdLogReader', { permissions: [P.CLUSTER_GET_PACHD_LOGS], returnedFor: [CLUSTER] }],
  ['projectViewer', { permissions: projectViewer, returnedFor: [PROJECT] }],
  ['projectWriter', { permissions: projectWriter, returnedFor: [PROJECT] }],
  ['projectOwner', { permissions: projectOwner, returnedFor: [PROJECT, REPO] }],
  ['projectCreator', { permissions: projectCreator, returnedFor: [CLUSTER] }],
  ['clusterAdmin', { permissions: clusterAdmin, returnedFor: [CLUSTER, PROJECT, REPO] }],
]);

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(Permission).map(([name, value]) => [value, name]));
const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ResourceType).map(([name, value]) => [value, name]),
);

export function permissionName(permission: Permission): string {
  return NAMES.get(permission) ?? String(permission);
}

export function resourceTypeName(type: ResourceType): string {
  return TYPE_NAMES.get(type) ?? String(type);
}
