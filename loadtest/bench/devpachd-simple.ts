// The rows of the table that are of a small repo, or of none.
import { credentials } from '@grpc/grpc-js';
import { EditMetadataRequest, APIClient as MetadataClient } from '../../proto/gen/metadata/metadata.ts';
import { CreateBranchRequest, ListRepoRequest } from '../../proto/gen/pfs/pfs.ts';
import { APIClient as VersionClient } from '../../proto/gen/version/versionpb/version.ts';
import {
  add,
  branch,
  type Client,
  call,
  collect,
  commit,
  fileSet,
  head,
  repo,
} from '../../services/devpachd/test/harness.ts';
import { callsOf, someFiles, time } from './devpachd-calls.ts';
import type { Measured } from './devpachd-scale.ts';
import { median } from './figures.ts';

const REPEATS = 5;

/** Takes them; nothing else is in the store. */
export async function measureSimple(client: Client, address: string): Promise<Measured> {
  const calls = callsOf(client);
  const version = new VersionClient(address, credentials.createInsecure());
  const metadata = new MetadataClient(address, credentials.createInsecure());
  const found: Record<string, number> = {};
  const take = async (name: string, work: (turn: number) => Promise<unknown>) => {
    const times: number[] = [];
    for (let turn = 0; turn < REPEATS; turn++) times.push(await time(() => work(turn)));
    found[name] = median(times);
  };
  const sets = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => oneSet([`/s/${i}`])));
  const oneSet = (paths: readonly string[]) => client.createFileSet([...someFiles(paths)]);
  const paths = (count: number) => Array.from({ length: count }, (_, i) => `/p/${i}`);
  const at = head('simple');

  await client.createRepo('simple');
  await take('ListRepo of 1', () => collect(client.api.listRepo(ListRepoRequest.fromPartial({}))));
  await take('GetVersion', () => call((done) => version.getVersion({}, done)));
  await client.modify(at, [add('/small', 'x'), ...bytes('/mb', 1), ...bytes('/mb3', 3), ...bytes('/mb64', 64)]);
  const { commit: first } = await calls.finished(at);
  await take('InspectProject', () => call((done) => client.api.inspectProject({ project: { name: 'default' } }, done)));
  await take('InspectBranch', () => call((done) => client.api.inspectBranch({ branch: branch('simple') }, done)));
  await take('InspectRepo', () => call((done) => client.api.inspectRepo({ repo: repo('simple') }, done)));
  await take('InspectCommit by id', () => client.inspect(commit('simple', first?.id ?? '')));
  await take('CreateRepo', (turn) => client.createRepo(`simple${turn}`));
  await take('CreateBranch', (turn) =>
    call((done) => client.api.createBranch(CreateBranchRequest.fromPartial({ branch: branch(`simple${turn}`) }), done)),
  );
  await take('GetFile of 1 MB', () => calls.get(at, '/mb'));
  await take('GetFile of 3 MB', () => calls.get(at, '/mb3'));
  await take('GetFile of 64 MB', () => calls.get(at, '/mb64'));
  const total = await calls.totalSet(at);
  found['set: GetFile of 3 MB'] = await time(() => calls.get(total, '/mb3'));
  const eight = (of: typeof at) => Promise.all(Array.from({ length: 8 }, () => calls.get(of, '/mb3')));
  await take('GetFile of 3 MB, 8 at once, all', () => eight(at));
  await take('set: GetFile of 3 MB, 8 at once, all', () => eight(total));

  for (const files of [1, 16, 64, 256]) {
    await take(`CreateFileSet of ${files} file${files === 1 ? '' : 's'}`, () => oneSet(paths(files)));
  }
  await take('CreateFileSet of 8 MB', () => client.createFileSet([...bytes('/b', 8)]));
  const small = await oneSet(['/one']);
  await calls.get(fileSet(small), '/one');
  await take('set: GetFile again', () => calls.get(fileSet(small), '/one'));
  await take('RenewFileSet', () =>
    call((done) => client.api.renewFileSet({ fileSetId: small, ttlSeconds: 600 }, done)),
  );
  const thousand = await sets(1000);
  for (const count of [4, 200, 1000]) {
    await take(`ComposeFileSet of ${count}`, () => calls.compose(thousand.slice(0, count)));
  }

  const starts: number[] = [];
  const startsBusy: number[] = [];
  const additions: number[] = [];
  const finishes: number[] = [];
  for (let turn = 0; turn < REPEATS; turn++) {
    starts.push(await time(() => calls.start('simple', branch('simple'))));
    additions.push(await time(() => calls.addSet(at, small)));
    finishes.push(await time(() => calls.finish(at)));
    startsBusy.push(await time(() => calls.start('simple', branch('simple'))));
    await calls.finish(at);
    await calls.finished(at);
  }
  found['StartCommit'] = median(starts);
  found['AddFileSet'] = median(additions);
  found['FinishCommit returns'] = median(finishes);
  found['StartCommit on a finishing one'] = median(startsBusy);

  for (const count of [10, 50, 200]) {
    const open = await calls.start('simple', branch('simple'));
    for (const id of thousand.slice(0, count)) await calls.addSet(open, id);
    const name = `GetFile of an open commit, ${count} sets`;
    if (count !== 50) found[name] = await time(() => calls.get(open, '/small'));
    if (count === 200) {
      const extra = await calls.start('simple', branch('simple', 'other'));
      const all = await Promise.all(
        Array.from({ length: 16 }, async () => {
          const times: number[] = [];
          for (let turn = 0; turn < 3; turn++) times.push(await time(() => calls.addSet(extra, small)));
          return times;
        }),
      );
      found['AddFileSet, 16 at once'] = median(all.flat());
    }
    found[`FinishCommit to FINISHED, ${count} sets`] = await time(async () => {
      await calls.finish(open);
      await calls.finished(open);
    });
  }
  const finishing = async (name: string, ids: readonly string[], error = '') => {
    const open = await calls.start('simple', branch('simple'));
    for (const id of ids) await calls.addSet(open, id);
    found[name] = await time(async () => {
      await calls.finish(open, error);
      await calls.finished(open);
    });
  };
  await finishing('FinishCommit to FINISHED, 1 set of 50 files', [await oneSet(paths(50))]);
  await finishing('FinishCommit with an error, to FINISHED', [small], 'it broke');

  const busy = { branch: [] as number[], set: [] as number[], get: [] as number[] };
  for (let turn = 0; turn < 3; turn++) {
    await client.modify(at, someFiles([`/busy${turn}`]));
    busy.branch.push(await time(() => call((done) => client.api.inspectBranch({ branch: branch('simple') }, done))));
    let diff = at;
    busy.set.push(
      await time(async () => {
        diff = await calls.diffSet(at);
      }),
    );
    busy.get.push(await time(() => calls.get(diff, `/busy${turn}`)));
    await calls.finished(at);
  }
  found['InspectBranch while finishing'] = median(busy.branch);
  found['GetFileSet DIFF while finishing'] = median(busy.set);
  found['set: GetFile while finishing'] = median(busy.get);

  for (const files of [64, 256]) {
    found[`ModifyFile of ${files}, idle`] = await time(() => client.modify(at, someFiles(paths(files))));
    await calls.finished(at);
  }
  const together = async (on: (index: number) => string) => {
    const each = Array.from({ length: 16 }, async (_, index) => {
      for (let turn = 0; turn < 2; turn++) await client.modify(head('simple0', on(index)), someFiles([`/${index}`]));
    });
    const ms = await time(() => Promise.all(each));
    for (let index = 0; index < 16; index++) await calls.finished(head('simple0', on(index)));
    return ms / 32;
  };
  found['ModifyFile, 16 at once on one branch, each'] = await together(() => 'one');
  found['ModifyFile, 16 at once on 16 branches, each'] = await together((index) => `b${index}`);
  const line = head('simple1', 'line');
  await client.modify(line, someFiles(['/a']));
  await calls.finished(line);
  const begin = performance.now();
  for (let turn = 0; turn < 6; turn++) await client.modify(line, someFiles([`/${turn}`]));
  await calls.finished(line);
  found['a commit of one repo, of 6 in a line'] = (performance.now() - begin) / 6;

  const edit = (value: string) => call((done) => metadata.editMetadata(editOf(first?.id ?? '', value), done));
  for (const [name, length] of [
    ['1 KB', 1000],
    ['100 KB', 100_000],
    ['1 MB', 1_000_000],
  ] as const) {
    await take(`EditMetadata of ${name}`, () => edit('m'.repeat(length)));
  }
  await take('InspectCommit with 1 MB of metadata', () => client.inspect(commit('simple', first?.id ?? '')));
  version.close();
  metadata.close();
  return found;
}

function bytes(path: string, megabytes: number) {
  return Array.from({ length: megabytes }, (_, i) => add(path, Buffer.alloc(1_000_000, `${path}${i}`)));
}

function editOf(id: string, value: string): EditMetadataRequest {
  const project = { picker: { $case: 'name' as const, value: 'default' } };
  const name = { project, name: 'simple', type: 'user' };
  const picker = { $case: 'id' as const, value: { repo: { picker: { $case: 'name' as const, value: name } }, id } };
  const target = { $case: 'commit' as const, value: { picker } };
  return EditMetadataRequest.fromPartial({
    edits: [{ target, op: { $case: 'editKey', value: { key: 'k', value } } }],
  });
}
