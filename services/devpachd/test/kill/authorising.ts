import {
  type APIClient as AuthClient,
  type GetRobotTokenResponse,
  type GetRoleBindingResponse,
  ResourceType,
} from '../../../../proto/gen/auth/auth.ts';
import { type Client, call, connect } from '../harness.ts';
import { createLedger } from './ledger.ts';
import type { Way } from './writing.ts';

const ROLE = 'repoReader';

/** Robots that get a token and a role, and lose the role. `address`: of the server as it runs now. */
export function authorising(name: string, auth: () => AuthClient, address: () => string): Way {
  const tokens = createLedger<string>();
  const roles = createLedger<undefined>();
  const resource = { type: ResourceType.REPO, name: `default/${name}` };
  const setRoles = (principal: string, to: string[]) =>
    call((done) => auth().modifyRoleBinding({ resource, principal, roles: to }, done));
  return {
    setUp: (client: Client) => client.createRepo(name),
    write: async (_, robot) => {
      const { token } = await call<GetRobotTokenResponse>((done) => auth().getRobotToken({ robot, ttl: 0 }, done));
      await tokens.change(token, robot, 'there', () => Promise.resolve());
      const principal = `robot:${robot}`;
      await roles.change(principal, undefined, 'there', () => setRoles(principal, [ROLE]));
      if (Math.random() < 0.5) await roles.change(principal, undefined, 'gone', () => setRoles(principal, []));
    },
    check: async () => {
      const { binding } = await call<GetRoleBindingResponse>((done) => auth().getRoleBinding({ resource }, done));
      await roles.check((principal) => binding?.entries[principal]?.roles[ROLE] === true);
      await tokens.check(async (token) => {
        const robot = connect(address(), token);
        try {
          await call((done) => robot.api.inspectProject({ project: { name: 'default' } }, done));
          return true;
        } catch {
          return false;
        } finally {
          robot.close();
        }
      });
    },
  };
}
