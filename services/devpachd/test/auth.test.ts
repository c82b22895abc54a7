import { credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APIClient as AuthClient, type GetRobotTokenResponse } from '../../../proto/gen/auth/auth.ts';
import { EditMetadataRequest, APIClient as MetadataClient } from '../../../proto/gen/metadata/metadata.ts';
import {
  APIClient,
  type Commit,
  type CommitInfo,
  CommitState,
  GetFileRequest,
  InspectFileRequest,
  ModifyFileRequest,
} from '../../../proto/gen/pfs/pfs.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { add, branch, call, collect, commit, fileSet, head, repo, tempFolder, upload } from './harness.ts';

describe('with auth on', () => {
  const folder = tempFolder();
  let server: RunningServer;
  let api: APIClient;
  let metadata: MetadataClient;
  const as = (token: string) => {
    const sent = new Metadata();
    sent.set('authn-token', token);
    return sent;
  };
  const root = as('iamroot');
  let alice: Metadata;
  let carol: Metadata;

  beforeAll(async () => {
    server = await startServer({ listen: '127.0.0.1:0', folder: folder.path, auth: true, seed: false });
    api = new APIClient(server.address, credentials.createInsecure());
    metadata = new MetadataClient(server.address, credentials.createInsecure());
    const auth = new AuthClient(server.address, credentials.createInsecure());
    const robot = async (name: string) =>
      as((await call<GetRobotTokenResponse>((done) => auth.getRobotToken({ robot: name, ttl: 0 }, root, done))).token);
    alice = await robot('alice');
    carol = await robot('carol');
    auth.close();
    await call((done) => api.createRepo({ repo: repo('r'), description: '', update: false }, alice, done));
    await modify(head('r'), alice, add('/a', 'secret'));
  });
  afterAll(async () => {
    api.close();
    metadata.close();
    await server.close();
    folder.remove();
  });

  const modify = (to: Commit, who: Metadata, ...changes: ModifyFileRequest[]) => {
    const first = ModifyFileRequest.fromPartial({ body: { $case: 'setCommit', value: to } });
    return upload((done) => api.modifyFile(who, done), [first, ...changes]);
  };
  const read = async (of: Commit, who: Metadata) => {
    const request = GetFileRequest.fromPartial({ file: { commit: of, path: '/a' } });
    const parts = await collect<Uint8Array | undefined>(api.getFile(request, who));
    return Buffer.concat(parts.map((part) => part ?? new Uint8Array(0))).toString();
  };
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it was not refused'),
      (error: { code: number; details: string }) => error.details,
    );
  const inspect = (of: Commit, who: Metadata) =>
    call<CommitInfo>((done) => api.inspectCommit({ commit: of, wait: CommitState.FINISHED }, who, done));

  it('the id of a file set is a capability for its content, and for nothing else', async () => {
    const set = await call<{ fileSetId: string }>((done) =>
      api.getFileSet({ commit: head('r'), type: 1 }, carol, done),
    );
    expect(await read(fileSet(set.fileSetId), carol)).toBe('secret');
    const request = InspectFileRequest.fromPartial({ file: { commit: fileSet(set.fileSetId), path: '/a' } });
    expect(await refusal(call((done) => api.inspectFile(request, carol, done)))).toBe(
      'no role binding exists for REPO default/__filesets__',
    );
    expect(await call((done) => api.inspectFile(request, root, done))).toMatchObject({ sizeBytes: 6 });
    expect(await refusal(read(head('r'), carol))).toContain('needs permissions [REPO_READ] on REPO default/r');
  });

  it('anybody may write while a head is open, as at pachd', async () => {
    const started = await call<{ id: string }>((done) =>
      api.startCommit({ branch: branch('r'), parent: undefined, description: '' }, alice, done),
    );
    await modify(commit('r', started.id), carol, add('/by-carol', 'x'));
    const finish = { commit: commit('r', started.id), description: '', error: '', force: false };
    expect(await refusal(call((done) => api.finishCommit(finish, carol, done)))).toContain('REPO_WRITE');
    await call((done) => api.finishCommit(finish, alice, done));
    expect((await inspect(commit('r', started.id), alice)).details?.sizeBytes).toBe(7);
    expect(await refusal(modify(head('r'), carol, add('/b', 'x')))).toContain('REPO_WRITE');
  });

  it('the metadata of a commit is edited all or nothing', async () => {
    const { commit: at } = await inspect(head('r'), alice);
    const edits = (...keys: string[]) =>
      EditMetadataRequest.fromPartial({
        edits: keys.map((key) => ({
          target: {
            $case: 'commit' as const,
            value: {
              picker: {
                $case: 'id' as const,
                value: {
                  id: at?.id ?? '',
                  repo: {
                    picker: {
                      $case: 'name' as const,
                      value: { name: 'r', type: '', project: { picker: { $case: 'name' as const, value: 'default' } } },
                    },
                  },
                },
              },
            },
          },
          op: { $case: 'addKey' as const, value: { key, value: `${key}!` } },
        })),
      });
    await call((done) => metadata.editMetadata(edits('one', 'two'), carol, done));
    expect(await refusal(call((done) => metadata.editMetadata(edits('three', 'one'), carol, done)))).toBe(
      `apply edits: edit #1: edit commit "default/r.user@${at?.id}": add_key target key "one" already exists; use edit_key instead`,
    );
    expect((await inspect(head('r'), alice)).metadata).toEqual({ one: 'one!', two: 'two!' });
  });
});
