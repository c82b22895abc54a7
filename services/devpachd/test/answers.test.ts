import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Edit, APIClient as MetadataClient } from '../../../proto/gen/metadata/metadata.ts';
import {
  type Commit,
  type FileInfo,
  FindCommitsRequest,
  GlobFileRequest,
  ListRepoRequest,
  ModifyFileRequest,
  WalkFileRequest,
} from '../../../proto/gen/pfs/pfs.ts';
import {
  add,
  branch,
  type Client,
  call,
  collect,
  commit,
  connect,
  copy,
  type Devpachd,
  fileSet,
  head,
  repo,
  spawnDevpachd,
  tempFolder,
} from './harness.ts';

const MISSING_ID = '0123456789ab4def0123456789abcdef';

/** Codes and texts as a real pachd answered the same calls. */
describe('answers to odd calls', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;
  let metadata: MetadataClient;
  let id: string;
  const refusal = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'done',
      ({ code, details }: { code: number; details: string }) => [status[code], details],
    );

  beforeAll(async () => {
    server = await spawnDevpachd(folder.path);
    client = connect(server.address);
    metadata = new MetadataClient(server.address, credentials.createInsecure());
    await client.createRepo('r');
    await client.modify(head('r'), [add('/a', 'a'), add('/d/x', 'x')]);
    id = (await client.finished(head('r'))).commit?.id ?? '';
  });
  afterAll(async () => {
    client.close();
    metadata.close();
    await server.end();
    folder.remove();
  });

  it('a missing file is named by who asks by an id, and by nobody who asks by a branch', async () => {
    expect(await refusal(client.get(head('r'), '/no'))).toEqual(['NOT_FOUND', '']);
    const named = ['NOT_FOUND', `file /no not found in repo default/r at commit ${id}`];
    expect(await refusal(client.get(commit('r', id), '/no'))).toEqual(named);
    expect(await refusal(client.inspectFile(commit('r', id), '/no'))).toEqual(named);
    const byName = ['NOT_FOUND', 'file no not found in repo default/r at commit master'];
    expect(await refusal(client.inspectFile(commit('r', 'master'), 'no'))).toEqual(byName);
  });

  it('a walk that meets nothing is an error, but from the root on', async () => {
    const walk = (path: string, marker: string, number = 0, reverse = false) => {
      const at = { commit: head('r'), path };
      const page = { paginationMarker: { commit: head('r'), path: marker }, number, reverse };
      return refusal(collect<FileInfo>(client.api.walkFile(WalkFileRequest.fromPartial({ file: at, ...page }))));
    };
    expect(await walk('/d', '/zzz')).toEqual(['NOT_FOUND', `commit/${id} does not contain item: (/d)`]);
    expect(await walk('/', '/', 2, true)).toEqual(['NOT_FOUND', `commit/${id} does not contain item: ()`]);
    expect(await walk('/', '/zzz')).toBe('done');
    expect(await walk('/d/x', '/d/x')).toBe('done');
  });

  it.each([
    ['master^x', 'calculate offset default/r@master^x: count offset and clean: invalid ancestry format'],
    ['master.0', /invalid offset from branch root for head commit: .*, offset: 4294967295, maximum depth: 1$/],
  ])('%s is no commit', async (name, text) => {
    const details = typeof text === 'string' ? `pick commit tx: ${text}` : expect.stringMatching(text);
    expect(await refusal(client.inspect(commit('r', name)))).toEqual(['UNKNOWN', details]);
  });

  it('a file set has no file set', async () => {
    const set = fileSet(await client.createFileSet([add('/a', '')]));
    const asked = (of: Commit) => refusal(call((done) => client.api.getFileSet({ commit: of, type: 0 }, done)));
    expect(await asked(set)).toEqual(['UNKNOWN', 'get file set: the commit is forgotten']);
    const none = 'pick commit tx: cannot pick commit with no ID or branch';
    expect(await asked(fileSet(''))).toEqual(['UNKNOWN', `get file set: ${none}`]);
    expect(await refusal(client.inspect(fileSet('')))).toEqual(['UNKNOWN', none]);
  });

  it('what is not sent is missed', async () => {
    const copyOfNothing = ModifyFileRequest.fromPartial({ body: { $case: 'copyFile', value: { dst: '/x' } } });
    const cause = 'embedded message failed validation | caused by: invalid CopyFile.Src: value is required';
    expect(await refusal(client.createFileSet([copyOfNothing]))).toEqual([
      'INVALID_ARGUMENT',
      `validate recv: invalid ModifyFileRequest.CopyFile: ${cause}`,
    ]);
    const dropped = call((done) => client.api.dropCommitSet({ commitSet: undefined }, done));
    expect(await refusal(dropped)).toEqual([
      'INVALID_ARGUMENT',
      'validate request: invalid DropCommitSetRequest.CommitSet: value is required',
    ]);
    expect(await refusal(collect(client.api.findCommits(FindCommitsRequest.fromPartial({}))))).toEqual([
      'INVALID_ARGUMENT',
      'validate recv: invalid FindCommitsRequest.Start: value is required',
    ]);
    const page = { pageIndex: -1, pageSize: 2 };
    expect(await refusal(collect(client.api.listRepo(ListRepoRequest.fromPartial({ page }))))).toEqual([
      'UNKNOWN',
      expect.stringContaining('getting page: ERROR: bigint out of range (SQLSTATE 22003)'),
    ]);
  });

  it('names that the database would not take, and those to be quoted', async () => {
    const zero = 'ERROR: invalid byte sequence for encoding "UTF8": 0x00 (SQLSTATE 22021)';
    const inspectRepo = call((done) => client.api.inspectRepo({ repo: repo('a\0') }, done));
    expect(await refusal(inspectRepo)).toEqual(['UNKNOWN', `scanning repo row: ${zero}`]);
    const inspectBranch = call((done) => client.api.inspectBranch({ branch: branch('r', 'a"b\n') }, done));
    expect(await refusal(inspectBranch)).toEqual([
      'NOT_FOUND',
      expect.stringContaining('\nbranch "a\\"b\\n" not found in repo default/r'),
    ]);
  });

  it('a copy may have any name, and ** stops at a line', async () => {
    const set = fileSet(await client.createFileSet([copy('/a\nb', head('r'), '/a'), add('/c', '')]));
    const glob = async (pattern: string) =>
      (await collect<FileInfo>(client.api.globFile(GlobFileRequest.fromPartial({ commit: set, pattern })))).map(
        ({ file }) => file?.path,
      );
    expect(await glob('/**')).toEqual(['/c']);
    expect(await glob('/*')).toEqual(['/a\nb', '/c']);
  });

  describe('EditMetadata', () => {
    const project = { picker: { $case: 'name' as const, value: 'default' } };
    const picked = (name: string) => ({ picker: { $case: 'name' as const, value: { name, type: 'user', project } } });
    const ofCommit = (name: string, at: string): Edit['target'] => ({
      $case: 'commit',
      value: { picker: { $case: 'id', value: { repo: picked(name), id: at } } },
    });
    const addKey = (key: string, target: Edit['target']) => ({
      target,
      op: { $case: 'addKey' as const, value: { key, value: 'v' } },
    });
    const edit = (...edits: Partial<Edit>[]) =>
      refusal(call((done) => metadata.editMetadata({ edits: edits.map((one) => Edit.create(one as object)) }, done)));
    const exists = () =>
      `edit commit "default/r.user@${id}": add_key target key "k" already exists; use edit_key instead`;
    const noRepo = 'get repo info with id: repo (id=0, project=default, name=no, type=user) not found';

    it('refuses a key that is there, and with it all edits', async () => {
      expect(await edit(addKey('k', ofCommit('r', id)))).toBe('done');
      const twice = [addKey('other', ofCommit('r', id)), addKey('k', ofCommit('r', id))];
      expect(await edit(...twice)).toEqual(['FAILED_PRECONDITION', `apply edits: edit #1: ${exists()}`]);
      expect((await client.inspect(head('r'))).metadata).toEqual({ k: 'v' });
      const mixed = [addKey('k', ofCommit('no', id)), addKey('k', ofCommit('r', id))];
      expect(await edit(...mixed)).toEqual([
        'FAILED_PRECONDITION',
        `apply edits: edit #0: pick commit: picking commit: picking repo: ${noRepo}\nedit #1: ${exists()}`,
      ]);
    });

    it('tells by UNKNOWN what is not there', async () => {
      const key = `default/r.user@${MISSING_ID}`;
      expect(await edit(addKey('x', ofCommit('r', MISSING_ID)))).toEqual([
        'UNKNOWN',
        `apply edits: edit #0: pick commit: picking commit: get commit by commit key: commit (int_id=0, commit_id=${key}) not found`,
      ]);
      expect(await edit(addKey('x', { $case: 'repo', value: picked('no') }))).toEqual([
        'UNKNOWN',
        `apply edits: edit #0: pick repo: picking repo: ${noRepo}`,
      ]);
    });

    it('looks at all edits first', async () => {
      const embedded = 'embedded message failed validation | caused by:';
      expect(await edit(addKey('y', ofCommit('r', id)), addKey('', ofCommit('r', id)))).toEqual([
        'INVALID_ARGUMENT',
        `validate request: invalid EditMetadataRequest.Edits[1]: ${embedded} invalid Edit.AddKey: ${embedded} invalid Edit_AddKey.Key: value length must be at least 1 runes`,
      ]);
      expect(await edit({})).toEqual([
        'INVALID_ARGUMENT',
        `validate request: invalid EditMetadataRequest.Edits[0]: ${embedded} invalid Edit.Target: value is required; invalid Edit.Op: value is required`,
      ]);
      expect((await client.inspect(head('r'))).metadata).toEqual({ k: 'v' });
    });
  });
});
