// The rows of the table that depend on the size of the repo.
import { branch, type Client, head } from '../../services/devpachd/test/harness.ts';
import { callsOf, fileName, type Range, someFiles, time } from './devpachd-calls.ts';
import { median } from './figures.ts';

const REPEATS = 5;
/** Calls that take longer than this are made once. */
const LONG_MS = 1000;

export type Measured = Readonly<Record<string, number>>;

/** Takes them in a repo of its own with so many files. */
export async function measureScale(client: Client, files: number): Promise<Measured> {
  const calls = callsOf(client);
  const repo = `scale${files}`;
  const at = head(repo);
  const found: Record<string, number> = {};
  await client.createRepo(repo);
  const all = [...names(files), ...Array.from({ length: 100 }, (_, i) => `/e/f${i}`)];
  found['ModifyFile of all files'] = await time(() => client.modify(at, someFiles(all)));
  found['its finishing'] = await time(() => calls.finished(at));
  // The set reads were taken of a file that had not been read yet, and so are these.
  const take = async (name: string, work: (turn: number) => Promise<unknown>) => {
    const times: number[] = [];
    for (let turn = 0; turn < REPEATS && (times[0] ?? 0) < LONG_MS; turn++) times.push(await time(() => work(turn)));
    found[name] = median(times);
  };

  const mid = fileName(files / 2);
  const just = (path: string): Range => ({ lower: path, upper: `${path}0` });
  const after = (count: number): Range => ({ lower: mid, upper: fileName(files / 2 + count) });
  const random = (count: number) => Array.from({ length: count }, () => fileName(Math.floor(Math.random() * files)));
  const braces = (paths: readonly string[]) => `/d/{${paths.map((path) => path.slice(3)).join(',')}}`;
  const near = braces(Array.from({ length: 16 }, (_, i) => fileName(files / 2 + i)));
  const many = async (of: typeof at) => {
    const left = random(64);
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let path = left.pop(); path; path = left.pop()) await calls.get(of, path);
      }),
    );
  };

  await take('InspectCommit by branch', () => client.inspect(at));
  await take('InspectFile first', () => client.inspectFile(at, fileName(0)));
  await take('InspectFile mid', () => client.inspectFile(at, mid));
  await take('InspectFile last', () => client.inspectFile(at, fileName(files - 1)));
  await take('InspectFile missing', () => client.inspectFile(at, '/d/missing').catch(() => undefined));
  await take('InspectFile dir', () => client.inspectFile(at, '/d'));
  await take('GlobFile exact, bounded', () => calls.glob(at, mid, just(mid)));
  await take('GlobFile exact', () => calls.glob(at, mid));
  await take('GetFile first', () => calls.get(at, fileName(0)));
  await take('GetFile mid', () => calls.get(at, mid));
  await take('GetFile mid, bounded', () => calls.get(at, mid, just(mid)));
  await take('ListFile /', () => calls.list(at, '/'));
  await take('ListFile /d, 1000', () => calls.list(at, '/d', 1000));
  await take('ListFile /d, 1000 from mid', () => calls.list(at, '/d', 1000, mid));
  await take('ListFile /e', () => calls.list(at, '/e'));
  await take('GlobFile /d/*, range of 1000', () => calls.glob(at, '/d/*', after(1000)));
  await take('WalkFile /d, 1000', () => calls.walk(at, '/d', 1000));
  await take('WalkFile /d, 1000 from mid', () => calls.walk(at, '/d', 1000, mid));
  await take('TAR braces, 16 near', () => calls.tar(at, near));
  await take('TAR braces, 16 near, bounded', () => calls.tar(at, near, after(16)));
  await take('TAR /d/*, range of 16', () => calls.tar(at, '/d/*', after(16)));
  await take('TAR braces, 64 random', () => calls.tar(at, braces(random(64))));
  await take('64 GetFile, 16 at once', () => many(at));
  await take('TAR /d/*, range of 1000', () => calls.tar(at, '/d/*', after(1000)));

  const set = await calls.totalSet(at);
  await take('set: GetFile', (turn) => calls.get(set, fileName(turn)));
  await take('set: InspectFile', () => client.inspectFile(set, mid));
  await take('set: ListFile /d, 1000', () => calls.list(set, '/d', 1000));
  await take('set: GlobFile exact', () => calls.glob(set, mid));
  await take('set: TAR braces, 64 random', () => calls.tar(set, braces(random(64))));
  await take('set: TAR braces, 16 near, bounded', () => calls.tar(set, near, after(16)));
  await take('set: TAR /d/*, range of 100', () => calls.tar(set, '/d/*', after(100)));
  await take('set: InspectFile dir', () => client.inspectFile(set, '/d'));
  await take('set: ListFile /', () => calls.list(set, '/'));
  await take('set: 64 GetFile, 16 at once', () => many(set));

  const one: number[] = [];
  const oneFinished: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const start = performance.now();
    await client.modify(at, someFiles(['/n1']));
    one.push(performance.now() - start);
    await calls.finished(at);
    oneFinished.push(performance.now() - start);
  }
  found['ModifyFile of 1'] = median(one);
  found['ModifyFile of 1, to FINISHED'] = median(oneFinished);
  await take('DiffFile /n1', () => calls.diff(at, '/n1'));
  const hundred = Array.from({ length: 100 }, (_, i) => `/m/${i}`);
  found['ModifyFile of 100, to FINISHED'] = await time(async () => {
    await client.modify({ ...at, branch: branch(repo) }, someFiles(hundred));
    await calls.finished(at);
  });
  await take('DiffFile', () => calls.diff(at, '/'));
  await take('GetFileSet DIFF', () => calls.diffSet(at));
  return found;
}

function names(files: number): string[] {
  return Array.from({ length: files }, (_, index) => fileName(index));
}
