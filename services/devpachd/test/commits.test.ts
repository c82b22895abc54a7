import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GetFileSetRequest_FileSetType } from '../../../proto/gen/pfs/pfs.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import {
  add,
  branch,
  type Client,
  call,
  commit,
  connect,
  copy,
  eventually,
  fileSet,
  head,
  remove,
  tempFolder,
  upload,
} from './harness.ts';

describe('commits and file sets', () => {
  const folder = tempFolder();
  let server: RunningServer;
  let client: Client;

  beforeAll(async () => {
    const collector = { periodMs: 50, graceMs: 200 };
    server = await startServer({ listen: '127.0.0.1:0', folder: folder.path, auth: false, seed: false, collector });
    client = connect(server.address);
  });
  afterAll(async () => {
    client.close();
    await server.close();
    folder.remove();
  });

  const start = async (name: string, on = 'master') =>
    (
      await call<{ id: string }>((done) =>
        client.api.startCommit({ branch: branch(name, on), parent: undefined, description: '' }, done),
      )
    ).id;
  const finish = (of: ReturnType<typeof head>, error = '') =>
    call((done) => client.api.finishCommit({ commit: of, description: '', error, force: false }, done));
  const addSet = (of: ReturnType<typeof head>, fileSetId: string) =>
    call((done) => client.api.addFileSet({ commit: of, fileSetId }, done));
  const diffOf = async (of: ReturnType<typeof head>) =>
    (
      await call<{ fileSetId: string }>((done) =>
        client.api.getFileSet({ commit: of, type: GetFileSetRequest_FileSetType.DIFF }, done),
      )
    ).fileSetId;
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it was not refused'),
      (error: { code: number; details: string }) => error,
    );

  it('a stream into a commit that is finished under it is refused, keeps nothing, and is counted', async () => {
    await client.createRepo('late');
    const id = await start('late');
    const before = (await client.counters()).lateModifyFile;
    let finished: Promise<unknown> | undefined;
    const changes = function* () {
      yield { body: { $case: 'setCommit' as const, value: commit('late', id) } };
      yield add('/a', 'lost');
    };
    const open = client.api;
    const refused = refusal(
      new Promise((resolve, reject) => {
        const stream = open.modifyFile((error, answer) => (error ? reject(error) : resolve(answer)));
        for (const change of changes()) stream.write(change);
        // The stream has begun once an empty repo's open commit could have been read by it.
        finished = eventually(async () => (await client.counters()).calls['pfs_v2.API/ModifyFile'] !== undefined)
          .then(() => finish(commit('late', id)))
          .then(() => client.finished(commit('late', id)))
          .then(() => stream.end());
      }),
    );
    expect((await refused).details).toContain(`commit default/late@${id} has already finished`);
    await finished;
    expect((await client.counters()).lateModifyFile).toBe(before + 1);
    await client.modify(head('late'), [add('/b', 'goes on')]);
    expect((await client.finished(head('late'))).error).toBe('');
    expect((await client.list(head('late'))).map(({ file }) => file?.path)).toEqual(['/b']);
  });

  it('StartCommit refuses a branch of which the head is open', async () => {
    await client.createRepo('stacked');
    const first = await start('stacked');
    expect((await refusal(start('stacked'))).details).toBe(
      `start commit in transaction: create commit: parent commit default/stacked@${first} has not been finished`,
    );
  });

  it('a commit that fails keeps nothing of its own in the next one, and its sound files can be read', async () => {
    await client.createRepo('failing');
    await client.modify(head('failing'), [add('/a', 'file'), add('/k', 'kept')]);
    await client.finished(head('failing'));
    await client.modify(head('failing'), [add('/a/b', 'below'), add('/good', 'lost')]);
    const failed = await client.finished(head('failing'));
    expect(failed.error).toBe('file / directory path collision (/a/b)');
    expect((await client.get(head('failing'), '/good')).toString()).toBe('lost');
    const own = await diffOf(head('failing'));
    await client.modify(head('failing'), [copy('/rescued', fileSet(own), '/good')]);
    expect((await client.finished(head('failing'))).error).toBe('');
    const paths = (await client.list(head('failing'))).map(({ file }) => file?.path);
    expect(paths).toEqual(['/a', '/k', '/rescued']);
  });

  it('a commit that is finished with an error is passed over by the next', async () => {
    await client.createRepo('error');
    await client.modify(head('error'), [add('/a', '1')]);
    const id = await start('error');
    await client.modify(commit('error', id), [add('/b', '2')]);
    await finish(commit('error', id), 'it broke');
    await client.modify(head('error'), [add('/c', '3')]);
    await client.finished(head('error'));
    expect((await client.list(head('error'))).map(({ file }) => file?.path)).toEqual(['/a', '/c']);
  });

  it('two copies to one path, the second appended, fail the commit', async () => {
    await client.createRepo('copies');
    const set = await client.createFileSet([add('/p', '1')]);
    await client.modify(head('copies'), [copy('/f', fileSet(set), '/p'), copy('/f', fileSet(set), '/p', true)]);
    expect((await client.finished(head('copies'))).error).toBe(
      'duplicate path output by different datums (/f from default and /f from default)',
    );
  });

  it('two sets in a commit append, and with a deletion before each the later one stays', async () => {
    await client.createRepo('sets');
    const id = await start('sets');
    for (const text of ['one', 'two']) await addSet(commit('sets', id), await client.createFileSet([add('/f', text)]));
    for (const text of ['one', 'two']) {
      await addSet(commit('sets', id), await client.createFileSet([remove('/g'), add('/g', text)]));
    }
    expect((await client.get(commit('sets', id), '/f')).toString()).toBe('onetwo');
    await finish(commit('sets', id));
    await client.finished(commit('sets', id));
    expect((await client.get(commit('sets', id), '/f')).toString()).toBe('onetwo');
    expect((await client.get(commit('sets', id), '/g')).toString()).toBe('two');
  });

  it('a large file has one hash, whether it came at once or was composed of parts, and takes no space twice', async () => {
    await client.createRepo('large');
    const part = (fill: string) => Buffer.alloc(1_300_007, fill);
    const parts = [part('abc'), part('def'), part('ghi')];
    await client.modify(head('large'), [...parts.map((bytes) => add('/whole', bytes))]);
    const whole = await client.finished(head('large')).then(() => client.inspectFile(head('large'), '/whole'));
    const ids: string[] = [];
    for (const bytes of parts) ids.push(await client.createFileSet([add('/part', bytes)]));
    const composed = await call<{ fileSetId: string }>((done) =>
      client.api.composeFileSet({ fileSetIds: ids, ttlSeconds: 600, compact: false }, done),
    );
    const before = packBytes(folder.path);
    expect((await client.inspectFile(fileSet(composed.fileSetId), '/part')).hash).toEqual(whole.hash);
    await client.modify(head('large'), [copy('/joined', fileSet(composed.fileSetId), '/part')]);
    await client.finished(head('large'));
    expect((await client.inspectFile(head('large'), '/joined')).hash).toEqual(whole.hash);
    expect(
      (await client.get(head('large'), '/joined', 1_300_000)).equals(Buffer.concat(parts).subarray(1_300_000)),
    ).toBe(true);
    expect(packBytes(folder.path)).toBe(before);
  });

  it('a file set that was expired is collected, and what was added to a commit stays', async () => {
    await client.createRepo('expiring');
    const id = await start('expiring');
    const set = await client.createFileSet([add('/a', Buffer.alloc(2_000_000, 'q'))]);
    await addSet(commit('expiring', id), set);
    await call((done) => client.api.renewFileSet({ fileSetId: set, ttlSeconds: 1 }, done));
    await eventually(() =>
      client.get(fileSet(set), '/a').then(
        () => false,
        () => true,
      ),
    );
    expect((await refusal(client.get(fileSet(set), '/a'))).details).toBe('get file: path does not exist');
    expect((await refusal(addSet(commit('expiring', id), set))).details).toBe('add file set: path does not exist');
    expect(
      (await refusal(call((done) => client.api.renewFileSet({ fileSetId: set, ttlSeconds: 5 }, done)))).details,
    ).toBe(`tracker does not contain item: (fileset/${set.split('.')[0]})`);
    await finish(commit('expiring', id));
    expect((await client.get(commit('expiring', id), '/a')).length).toBe(2_000_000);
  });

  it('a composition outlives its parts, and of unknown ones there is none', async () => {
    const part = await client.createFileSet([add('/a', 'part')]);
    const compose = (ids: string[]) =>
      call<{ fileSetId: string }>((done) =>
        client.api.composeFileSet({ fileSetIds: ids, ttlSeconds: 100_000, compact: true }, done),
      );
    const composed = await compose([part, part]);
    await call((done) => client.api.renewFileSet({ fileSetId: part, ttlSeconds: 1 }, done));
    await eventually(() =>
      client.get(fileSet(part), '/a').then(
        () => false,
        () => true,
      ),
    );
    expect((await client.get(fileSet(composed.fileSetId), '/a')).toString()).toBe('partpart');
    expect((await refusal(compose([part]))).details).toBe('the operation would create a dangling reference');
  });

  it('what nobody refers to any more leaves the disk', async () => {
    await client.createRepo('garbage');
    const before = packBytes(folder.path);
    const content = Array.from({ length: 6 }, (_, i) => Buffer.alloc(1_000_000, `garbage ${i}`));
    await client.modify(head('garbage'), [...content.map((bytes) => add('/big', bytes))]);
    await client.finished(head('garbage'));
    expect(packBytes(folder.path)).toBeGreaterThan(before);
    await call((done) => client.api.deleteRepo({ repo: head('garbage').repo, force: true }, done));
    await eventually(async () => packBytes(folder.path) <= before + 5_000_000);
  });

  it('a client that breaks off leaves nothing behind', async () => {
    await client.createRepo('broken');
    await client.modify(head('broken'), [add('/base', '1')]);
    const count = async () => (await client.counters()).calls['pfs_v2.API/ModifyFile'] ?? 0;
    const before = await count();
    const streams = Array.from({ length: 20 }, (_, i) => {
      const stream = client.api.modifyFile(() => undefined);
      stream.on('error', () => undefined);
      stream.write({ body: { $case: 'setCommit', value: head('broken') } });
      stream.write(add(`/${i}`, 'half'));
      return stream;
    });
    await eventually(async () => (await count()) === before + streams.length);
    for (const stream of streams) stream.cancel();
    await eventually(async () => ((await client.counters()).failures['pfs_v2.API/ModifyFile'] ?? 0) >= 20);
    expect(await client.list(head('broken'))).toHaveLength(1);
  });

  it('a negative offset is refused, and counted', async () => {
    await client.createRepo('offset');
    await client.modify(head('offset'), [add('/a', '123')]);
    const { negativeOffsets } = await client.counters();
    expect((await refusal(client.get(head('offset'), '/a', -1))).details).toContain('must not be negative');
    expect((await client.counters()).negativeOffsets).toBe(negativeOffsets + 1);
  });

  it('a message of more than 20 MiB is refused', async () => {
    const error = await refusal(upload((done) => client.api.createFileSet(done), [add('/a', Buffer.alloc(21 << 20))]));
    expect(error.code).toBe(8);
  });
});

function packBytes(folder: string): number {
  const packs = join(folder, 'packs');
  return readdirSync(packs).reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
}
