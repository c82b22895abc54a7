import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BranchInfo, CreateBranchRequest, ListBranchRequest, type Trigger } from '../../../proto/gen/pfs/pfs.ts';
import { parseSchedule } from '../src/store/schedule.ts';
import { parseSize } from '../src/store/triggers.ts';
import {
  add,
  branch,
  type Client,
  call,
  collect,
  connect,
  type Devpachd,
  eventually,
  head,
  repo,
  spawnDevpachd,
  tempFolder,
} from './harness.ts';

const utc = (text: string) => Date.parse(`${text}Z`);

describe('schedules', () => {
  it.each([
    ['* * * * *', '2024-02-28T23:59:30', '2024-02-29T00:00:00'],
    ['30 4 * * *', '2024-01-01T04:30:00', '2024-01-02T04:30:00'],
    ['0 0 31 * *', '2024-04-01T00:00:00', '2024-05-31T00:00:00'],
    ['0 0 13 * fri', '2024-01-01T00:00:00', '2024-01-05T00:00:00'],
    ['*/20 9-17/4 * jan,jul mon-fri', '2024-01-05T17:41:00', '2024-01-08T09:00:00'],
    ['5/25 * * * *', '2024-01-01T00:06:00', '2024-01-01T00:30:00'],
    ['0 0 29 2 *', '2025-01-01T00:00:00', '2028-02-29T00:00:00'],
    ['@weekly', '2024-01-01T00:00:00', '2024-01-07T00:00:00'],
    ['@every 1h30m5.5s', '2024-01-01T00:00:00.750', '2024-01-01T01:30:05'],
    ['@every 5ms', '2024-01-01T00:00:00', '2024-01-01T00:00:01'],
    [' @never ', '2024-01-01T00:00:00', '9999-01-01T00:00:00'],
  ])('%s after %s is %s', (spec, from, next) => expect(parseSchedule(spec)(utc(from))).toBe(utc(next)));

  it('may never come', () => expect(parseSchedule('0 0 31 2 *')(utc('2024-01-01T00:00:00'))).toBeUndefined());

  it.each([
    ['x', 'Expected exactly 5 fields, found 1: x'],
    ['61 * * * *', 'End of range (61) above maximum (59): 61'],
    ['* * 0 * *', 'Beginning of range (0) below minimum (1): 0'],
    ['5-1 * * * *', 'Beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'Step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'Too many hyphens: 1-2-3'],
    ['a * * * *', 'Failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['@foo', 'Unrecognized descriptor: @foo'],
    ['@every x', 'Failed to parse duration @every x: time: invalid duration "x"'],
  ])('%s is none', (spec, text) => expect(() => parseSchedule(spec)).toThrow(text));
});

describe('sizes', () => {
  it.each([
    ['100', 100],
    ['5 kb', 5000],
    ['1.5MiB', 1_500_000],
    ['2g', 2_000_000_000],
    ['7B', 7],
  ])('%s is %s bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['x', '1q', '-5', '1.2.3', '5kbb', '5kibx', 'MB'])('%s is none', (text) =>
    expect(() => parseSize(text)).toThrow(),
  );
});

describe('branches that follow others', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;
  let name: string;
  let repos = 0;
  const outcome = (work: Promise<unknown>) =>
    work.then(
      () => 'done' as const,
      ({ code, details }: { code: number; details: string }) => [code, details],
    );
  const follow = (of: string, trigger: Partial<Trigger>) =>
    call((done) =>
      client.api.createBranch(CreateBranchRequest.fromPartial({ branch: branch(name, of), trigger }), done),
    );
  const heads = async () => {
    const all = await collect<BranchInfo>(client.api.listBranch(ListBranchRequest.fromPartial({ repo: repo(name) })));
    return Object.fromEntries(all.map((info) => [info.branch?.name ?? '', info.head?.id ?? '']));
  };
  const write = async (path: string, bytes: number, to = 'master') => {
    await client.modify(head(name, to), [add(path, 'x'.repeat(bytes))]);
    return (await client.finished(head(name, to))).commit?.id ?? '';
  };
  const remove = (of: string, force = false) =>
    outcome(call((done) => client.api.deleteBranch({ branch: branch(name, of), force }, done)));

  beforeAll(async () => {
    server = await spawnDevpachd(folder.path);
    client = connect(server.address);
  });
  beforeEach(async () => {
    name = `r${repos++}`;
    await client.createRepo(name);
    await call((done) => client.api.createBranch(CreateBranchRequest.fromPartial({ branch: branch(name) }), done));
  });
  afterAll(async () => {
    client.close();
    await server.end();
    folder.remove();
  });

  it('move when enough was committed, by any condition or by all, and one after the other', async () => {
    await follow('one', { branch: 'master', commits: 1 });
    await follow('two', { branch: 'master', commits: 2 });
    await follow('size', { branch: 'master', size: '1k' });
    await follow('any', { branch: 'master', size: '1k', commits: 2 });
    await follow('all', { branch: 'master', size: '1k', commits: 3, all: true });
    await follow('never', { branch: 'master' });
    await follow('chain', { branch: 'two', commits: 2 });
    const { one: _, ...still } = await heads();
    const first = await write('/1', 300);
    expect(await heads()).toMatchObject({ ...still, master: first, one: first });
    const second = await write('/2', 300);
    const { size, all, never } = still;
    expect(await heads()).toMatchObject({ one: second, two: second, any: second, chain: second, size, all, never });
    const third = await write('/3', 3000);
    expect(await heads()).toMatchObject({ one: third, two: second, size: third, any: third, all: third, never });
    expect((await client.list(head(name, 'all'))).map(({ file }) => file?.path)).toEqual(['/1', '/2', '/3']);
  });

  it('do not move for a commit that failed, and can be written to themselves', async () => {
    await follow('one', { branch: 'master', commits: 1 });
    const good = await write('/a', 1);
    await write('/a/b', 1);
    expect(await heads()).toMatchObject({ one: good });
    const own = await write('/own', 1, 'one');
    expect(await heads()).toMatchObject({ one: own });
  });

  it('move by a clock', async () => {
    await follow('clock', { branch: 'master', cronSpec: '@every 1s' });
    const last = await write('/a', 1);
    await eventually(async () => (await heads())['clock'] === last);
    const next = await write('/b', 1);
    await eventually(async () => (await heads())['clock'] === next);
  });

  it('are refused when they could not move, or would follow themselves', async () => {
    const missing = `create branch: update head: updating branch trigger: branch (id=0, branch=default/${name}@no) not found`;
    expect(await outcome(follow('x', { branch: 'no', commits: 1 }))).toEqual([5, missing]);
    expect(await outcome(follow('x', {}))).toEqual([2, 'triggers must specify a branch to trigger on']);
    expect(await outcome(follow('x', { branch: 'master', commits: -1 }))).toEqual([
      2,
      "can't trigger on a negative number of commits",
    ]);
    expect(await outcome(follow('x', { branch: 'master', size: 'x' }))).toEqual([
      2,
      "invalid trigger size: invalid size: 'x'",
    ]);
    await follow('a', { branch: 'master', commits: 1 });
    expect(await outcome(follow('master', { branch: 'a', commits: 1 }))).toEqual([2, 'triggers cannot form a loop']);
  });

  it('hold the branch that they follow, until one is forced away', async () => {
    await follow('a', { branch: 'master', commits: 1 });
    await follow('b', { branch: 'a', commits: 1 });
    const text = (of: string, why: string) => [
      2,
      `branch "default/${name}@${of}" cannot be deleted because it ${why}]`,
    ];
    expect(await remove('a')).toEqual(text('a', `is triggered by branches [default/${name}@b`));
    expect(await remove('b')).toEqual(text('b', `triggers branches [default/${name}@a`));
    expect(await remove('a', true)).toBe('done');
    expect(await remove('b')).toBe('done');
    expect(await remove('master')).toBe('done');
  });
});
