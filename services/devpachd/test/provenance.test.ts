import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Branch,
  type BranchInfo,
  type Commit,
  type CommitInfo,
  CommitState,
  CreateBranchRequest,
  ListCommitRequest,
} from '../../../proto/gen/pfs/pfs.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { add, branch, type Client, call, collect, commit, connect, head, repo, tempFolder } from './harness.ts';

describe('branches that are made from others', () => {
  const folder = tempFolder();
  let server: RunningServer;
  let client: Client;

  beforeAll(async () => {
    server = await startServer({ listen: '127.0.0.1:0', folder: folder.path, auth: false, seed: false });
    client = connect(server.address);
  });
  afterAll(async () => {
    client.close();
    await server.close();
    folder.remove();
  });

  const plan = (of: Branch, provenance: Branch[], at?: Commit) =>
    call((done) =>
      client.api.createBranch(CreateBranchRequest.fromPartial({ branch: of, provenance, head: at }), done),
    );
  const inspect = (of: Branch) => call<BranchInfo>((done) => client.api.inspectBranch({ branch: of }, done));
  const headOf = async (name: string) => (await inspect(branch(name))).head?.id ?? '';
  const commits = async (name: string) => {
    const all = ListCommitRequest.fromPartial({ repo: repo(name), all: true });
    return (await collect<CommitInfo>(client.api.listCommit(all))).map((info) => info.commit?.id);
  };
  const start = (name: string) =>
    call<Commit>((done) => client.api.startCommit({ branch: branch(name), parent: undefined, description: '' }, done));
  const finish = (of: Commit) =>
    call((done) => client.api.finishCommit({ commit: of, description: '', error: '', force: true }, done));
  const dropSet = (id: string) => call((done) => client.api.dropCommitSet({ commitSet: { id } }, done));
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it was not refused'),
      (error: { code: number; details: string }) => error.details,
    );
  /** `NAME` is made from `NAMEin`. */
  const pair = async (name: string) => {
    await client.createRepo(name);
    await client.createRepo(`${name}in`);
    await plan(branch(name), [branch(`${name}in`)]);
  };

  it('get an open commit, in one set with the first commit of an input that was missing', async () => {
    await pair('a');
    const [out, input] = [await client.inspect(head('a')), await client.inspect(head('ain'))];
    expect([out.finishing, input.finished !== undefined]).toEqual([undefined, true]);
    expect(out.commit?.id).toBe(input.commit?.id);
    expect(out.directProvenance.map(({ repo: of, branch: on }) => [of?.name, on?.name])).toEqual([['ain', 'master']]);
    expect(input.directSubvenance.map((one) => one.repo?.name)).toEqual(['a']);
  });

  it('tell what they are made from, and what is made from them', async () => {
    await pair('b');
    await client.createRepo('b2');
    await plan(branch('b2'), [branch('b')]);
    const names = (branches: readonly Branch[]) => branches.map((one) => one.repo?.name);
    const [last, middle, first] = await Promise.all([branch('b2'), branch('b'), branch('bin')].map(inspect));
    expect([last?.provenance, last?.directProvenance, last?.subvenance].map((one) => names(one ?? []))).toEqual([
      ['b', 'bin'],
      ['b'],
      [],
    ]);
    expect(names(middle?.subvenance ?? [])).toEqual(['b2']);
    expect(names(first?.subvenance ?? [])).toEqual(['b', 'b2']);
  });

  it('get a new open commit with every commit on what they are made from, of the same id', async () => {
    await pair('c');
    const first = await headOf('c');
    const started = await start('cin');
    expect(await headOf('c')).toBe(started.id);
    await finish(started);
    await client.modify(head('cin'), [add('/x', 'x')]);
    const next = await headOf('cin');
    expect(await commits('c')).toEqual([next, started.id, first]);
    expect(await refusal(client.list(head('c')))).toBe(
      `base commit default/c@${started.id} for commit default/c@${next} unfinished`,
    );
    // The newest may be finished before those below it, and becomes FINISHED after them.
    for (const id of [next, started.id, first]) await finish(commit('c', id));
    expect((await client.finished(commit('c', next))).error).toBe('');
  });

  it('take writes into their open commit, and refuse to start one', async () => {
    await pair('d');
    await client.modify(head('d'), [add('/x', 'x')]);
    await finish(head('d'));
    await client.finished(head('d'));
    expect((await client.list(head('d'))).map(({ file }) => file?.path)).toEqual(['/x']);
    const text = 'cannot start a commit on an output branch: default/d@master';
    expect(await refusal(client.modify(head('d'), [add('/y', 'y')]))).toBe(text);
    expect(await refusal(start('d'))).toBe(`start commit in transaction: ${text}`);
    expect(await commits('d')).toHaveLength(1);
  });

  it('are READY when what they are made from is finished', async () => {
    await pair('e');
    const started = await start('ein');
    let ready = false;
    const waiting = call<CommitInfo>((done) =>
      client.api.inspectCommit({ commit: head('e'), wait: CommitState.READY }, done),
    ).then(() => {
      ready = true;
    });
    await client.inspect(head('e'));
    expect(ready).toBe(false);
    await finish(started);
    await waiting;
    expect((await client.inspect(started)).finished).toBeDefined();
  });

  it('keep their inputs from being deleted, unless that is forced', async () => {
    await pair('f');
    const force = (forced: boolean) => ({ branch: branch('fin'), force: forced });
    const text = `branch "default/fin@master" cannot be deleted because it's in the direct provenance of [default/f@master]`;
    expect(await refusal(call((done) => client.api.deleteBranch(force(false), done)))).toBe(text);
    expect(await refusal(call((done) => client.api.deleteRepo({ repo: repo('fin'), force: false }, done)))).toBe(
      `delete repo: delete branch default/fin@master: ${text}`,
    );
    await call((done) => client.api.deleteRepo({ repo: repo('fin'), force: true }, done));
    expect((await inspect(branch('f'))).provenance).toEqual([]);
    expect((await client.inspect(head('f'))).directProvenance).toEqual([]);
  });

  it('are told apart from cycles and from other branches of the same repo', async () => {
    await pair('g');
    expect(await refusal(plan(branch('g'), [branch('g', 'other')]))).toBe(
      'repo default/g cannot be in the provenance of its own branch',
    );
    expect(await refusal(plan(branch('gin'), [branch('g')]))).toBe(
      'create branch: update head: cycle detected because default/g.user@master is already in the subvenance of default/gin.user@master',
    );
    await client.createRepo('g2');
    const twice = await refusal(plan(branch('g2'), [branch('g'), branch('gin', 'other')]));
    expect(twice).toMatch(/^validate DAG at end of transaction: multiple branches from the same repo, "default\/g/);
    expect((await refusal(inspect(branch('g2')))).includes('not found')).toBe(true);
  });

  it('move with their input when that is pointed elsewhere, and stay when nothing changes', async () => {
    await pair('h');
    const first = await headOf('hin');
    await client.modify(head('hin'), [add('/x', 'x')]);
    await plan(branch('h'), [branch('hin')]);
    expect(await commits('h')).toHaveLength(2);
    await plan(branch('hin'), [], commit('hin', first));
    expect(await commits('h')).toHaveLength(3);
    expect((await client.inspect(head('h'))).directProvenance.map(({ id }) => id)).toEqual([first]);
  });

  it('share commit sets: others count in them, and they go only with all that is made from them', async () => {
    await pair('i');
    await client.createRepo('iother');
    await plan(branch('i'), [branch('iin'), branch('iother')]);
    const [old, output] = [await headOf('iin'), await headOf('i')];
    await client.modify(head('iother'), [add('/x', 'x')]);
    const set = await headOf('iother');
    expect((await client.inspect(commit('iin', set))).commit?.id).toBe(old);
    const whole = await collect<CommitInfo>(client.api.inspectCommitSet({ commitSet: { id: set }, wait: false }));
    expect(whole.map((info) => `${info.commit?.repo?.name} ${info.commit?.id}`)).toEqual([
      `iin ${old}`,
      `iother ${set}`,
      `i ${set}`,
    ]);
    expect(await refusal(dropSet(old))).toContain(`commit set "id:\\"${old}\\"" cannot be dropped because it has`);
    const single = { commit: commit('iin', old), recursive: false };
    expect(await refusal(call((done) => client.api.dropCommit(single, done)))).toBe(
      `cannot drop commit (default/iin@${old}) with subvenance without recursive`,
    );
    await dropSet(set);
    expect(await headOf('i')).toBe(output);
  });
});
