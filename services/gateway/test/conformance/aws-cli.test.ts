// The aws command line, as Pachyderm's documentation tells its users to call it.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, freshBucketName } from '../support/buckets.ts';
import {
  awsEnvironment,
  makeFolder,
  pythonProgram,
  type Run,
  runCommand,
  sampleBytes,
  writeTree,
} from '../support/clients.ts';
import { keyOf } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';

const SIZES = [
  ['0 B', 0],
  ['1 B', 1],
  ['1 MB', 1_000_000],
  ['20 MB, in parts', 20_000_000],
] as const;

describe.each([
  { title: 'auth off, unsigned', auth: false, key: undefined, flags: ['--no-sign-request'] },
  { title: 'auth off, any key', auth: false, key: keyOf('any-key'), flags: [] },
  { title: 'auth on, the root token', auth: true, key: keyOf(ROOT_TOKEN), flags: [] },
] as const)('aws s3 ($title)', ({ auth, key, flags }) => {
  let tusk: Tusk;
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  // With the host name of the documentation, not with the address.
  const endpoint = (): string => tusk.url.replace('127.0.0.1', 'localhost');
  const aws = (...args: readonly string[]): Promise<Run> =>
    runCommand(pythonProgram('aws'), ['--endpoint-url', endpoint(), ...flags, ...args], {
      env: awsEnvironment(folder.path, key),
      cwd: folder.path,
    });
  const succeed = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await aws(...args);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return stdout;
  };
  const bucketOfOwn = (): Promise<string> => freshBucket(tusk, key);

  beforeAll(async () => {
    tusk = await startTusk({ auth });
    folder = await makeFolder();
  });
  afterAll(async () => {
    await tusk?.stop();
    await folder?.remove();
  });

  it('copies a file to the bucket of the documentation and back', async () => {
    await writeFile(join(folder.path, 'myfile.csv'), 'a,b\n1,2\n');
    await succeed('s3', 'cp', 'myfile.csv', 's3://master.foo.bar');
    await succeed('s3', 'cp', 's3://master.foo.bar/myfile.csv', 'back.csv');
    expect(await readFile(join(folder.path, 'back.csv'), 'utf8')).toBe('a,b\n1,2\n');
  });

  it.each(SIZES)('copies %s up and down, byte for byte', async (_, size) => {
    const bucket = await bucketOfOwn();
    const bytes = sampleBytes(size);
    await writeFile(join(folder.path, 'up.bin'), bytes);
    await succeed('s3', 'cp', 'up.bin', `s3://${bucket}/folder/up.bin`);
    await succeed('s3', 'cp', `s3://${bucket}/folder/up.bin`, 'down.bin');
    const down = await readFile(join(folder.path, 'down.bin'));
    expect(down.length).toBe(size);
    expect(down.equals(bytes)).toBe(true);
  });

  it('streams from stdin and to stdout', async () => {
    const bucket = await bucketOfOwn();
    await writeFile(join(folder.path, 'piped.txt'), 'through a pipe');
    const command = `${pythonProgram('aws')} --endpoint-url ${endpoint()} ${flags.join(' ')} s3 cp`;
    const script = `${command} - s3://${bucket}/piped < piped.txt && ${command} s3://${bucket}/piped -`;
    const { stdout, stderr } = await runCommand('sh', ['-c', script], {
      env: awsEnvironment(folder.path, key),
      cwd: folder.path,
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'through a pipe', stderr: '' });
  });

  it('makes, lists and removes a bucket', async () => {
    const bucket = freshBucketName();
    await succeed('s3', 'mb', `s3://${bucket}`);
    expect(await succeed('s3', 'ls')).toContain(bucket);
    expect(await succeed('s3', 'rb', `s3://${bucket}`)).toContain(`remove_bucket: ${bucket}`);
    expect(await succeed('s3', 'ls')).not.toContain(bucket);
  });

  it('removes a bucket that has objects only by force', async () => {
    const bucket = await bucketOfOwn();
    await writeTree(folder.path, { 'one.txt': 'one' });
    await succeed('s3', 'cp', 'one.txt', `s3://${bucket}/deep/one.txt`);
    const refused = await aws('s3', 'rb', `s3://${bucket}`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('BucketNotEmpty');
    await succeed('s3', 'rb', '--force', `s3://${bucket}`);
    expect(await succeed('s3', 'ls')).not.toContain(bucket);
  });

  it('syncs a tree up and down, and moves nothing the second time', async () => {
    const bucket = await bucketOfOwn();
    const tree = {
      'tree/a.txt': 'a',
      'tree/with blank.txt': 'blank',
      'tree/sub/b.bin': sampleBytes(300_000),
      'tree/sub/deeper/empty': '',
      "tree/sub/quote's & more.txt": 'marks',
    };
    await writeTree(folder.path, tree);
    const first = await succeed('s3', 'sync', 'tree', `s3://${bucket}/mirror`);
    expect(first.match(/upload:/g)).toHaveLength(Object.keys(tree).length);
    expect(await succeed('s3', 'sync', 'tree', `s3://${bucket}/mirror`)).toBe('');
    await succeed('s3', 'sync', `s3://${bucket}/mirror`, 'copy');
    expect(await succeed('s3', 'sync', `s3://${bucket}/mirror`, 'copy')).toBe('');
    expect(await hashTree(join(folder.path, 'copy'))).toEqual(await hashTree(join(folder.path, 'tree')));
    await writeTree(folder.path, { 'tree/a.txt': 'changed' });
    expect(await succeed('s3', 'sync', 'tree', `s3://${bucket}/mirror`)).toMatch(/^upload: tree\/a\.txt to \S+\s*$/m);
  });

  it('lists keys, folders and sums', async () => {
    const bucket = await bucketOfOwn();
    await writeTree(folder.path, { 'list/top.txt': '12345', 'list/in/one.txt': '1', 'list/in/two.txt': '22' });
    await succeed('s3', 'sync', 'list', `s3://${bucket}`);
    const top = await succeed('s3', 'ls', `s3://${bucket}`);
    expect(top).toMatch(/^ +PRE in\/$/m);
    expect(top).toMatch(/ 5 top\.txt$/m);
    const all = await succeed('s3', 'ls', '--recursive', '--summarize', `s3://${bucket}`);
    expect(all).toMatch(/ 1 in\/one\.txt\n.* 2 in\/two\.txt\n.* 5 top\.txt\n/);
    expect(all).toMatch(/Total Objects: 3\n\s+Total Size: 8/);
  });

  it('removes a tree', async () => {
    const bucket = await bucketOfOwn();
    await writeTree(folder.path, { 'gone/a': 'a', 'gone/b/c': 'c', 'gone/kept/d': 'd' });
    await succeed('s3', 'sync', 'gone', `s3://${bucket}`);
    await succeed('s3', 'rm', '--recursive', '--exclude', 'kept/*', `s3://${bucket}`);
    expect(await succeed('s3', 'ls', '--recursive', `s3://${bucket}`)).toMatch(/^\S+ \S+ +1 kept\/d\n$/);
  });

  it('moves and copies within the gateway', async () => {
    const [from, to] = [await bucketOfOwn(), await bucketOfOwn()];
    await writeTree(folder.path, { 'source.txt': 'source' });
    await succeed('s3', 'cp', 'source.txt', `s3://${from}/source.txt`);
    await succeed('s3', 'cp', `s3://${from}/source.txt`, `s3://${to}/copy.txt`);
    await succeed('s3', 'mv', `s3://${from}/source.txt`, `s3://${to}/moved.txt`);
    expect(await succeed('s3', 'cp', `s3://${to}/copy.txt`, '-')).toBe('source');
    expect(await succeed('s3', 'cp', `s3://${to}/moved.txt`, '-')).toBe('source');
    expect((await aws('s3', 'ls', `s3://${from}/source.txt`)).code).toBe(1);
  });

  if (key !== undefined) {
    it('presigns a download that needs no credentials', async () => {
      const bucket = await bucketOfOwn();
      await writeTree(folder.path, { 'shared.txt': 'shared by a link' });
      await succeed('s3', 'cp', 'shared.txt', `s3://${bucket}/a b/shared.txt`);
      const url = (await succeed('s3', 'presign', '--expires-in', '60', `s3://${bucket}/a b/shared.txt`)).trim();
      const response = await fetch(url);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('shared by a link');
      const tampered = await fetch(url.replace('shared.txt', 'other.txt'));
      expect(tampered.status).toBe(403);
      expect(await tampered.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
    });
  }

  it('says what is missing', async () => {
    const missing = await aws('s3', 'cp', `s3://${freshBucketName()}/key`, '-');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/404|NoSuchBucket/);
    const api = await aws('s3api', 'get-object', '--bucket', await bucketOfOwn(), '--key', 'none', 'out');
    expect(api.stderr).toContain('NoSuchKey');
  });
});

async function hashTree(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true })) {
    const path = join(folder, entry);
    if ((await stat(path)).isFile())
      hashes[entry] = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
  }
  return hashes;
}
