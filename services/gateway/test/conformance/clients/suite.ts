import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshBucket } from '../../support/buckets.ts';
import { makeFolder, runCommand, sampleBytes, writeTree } from '../../support/clients.ts';
import { eventually } from '../../support/eventually.ts';
import { type Answer, follow, send } from '../../support/http.ts';
import { ROOT } from '../../support/program.ts';
import { keyOf } from '../../support/signature.ts';
import { CERTIFICATE_FILE, SERVES_TLS } from '../../support/tls.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../../support/tusk.ts';
import { type ShellClient, STEPS, type Step } from './shell-clients.ts';

const SMALL = 'a small file\n';
const BIG = sampleBytes(12_000_000);
const TREE = {
  'a.txt': 'a',
  'b.txt': 'bb',
  'c d.txt': 'with a blank',
  'deep/er/e.txt': 'e',
  'deep/f.bin': sampleBytes(70_000),
};
const NAMES = Object.keys(TREE);
const WRITES = /"operation":"(?:PutObject|UploadPart|CopyObject)"/g;

/** One test for each step of a client, against a gateway with authentication on. */
export function itWorksAs({ setUp, steps, trusts }: ShellClient, transport: 'http' | 'https' = 'http'): void {
  const key = keyOf(ROOT_TOKEN);
  let tusk: Tusk;
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let bucket: string;
  let other: string;

  beforeAll(async () => {
    tusk = await startTusk({ auth: true, env: transport === 'https' ? SERVES_TLS : {} });
    folder = await makeFolder();
    [bucket, other] = [await freshBucket(tusk, key), await freshBucket(tusk, key)];
    await writeFile(join(folder.path, 'small.txt'), SMALL);
    await writeFile(join(folder.path, 'big.bin'), BIG);
    await writeTree(join(folder.path, 'tree'), TREE);
  });
  afterAll(async () => {
    await tusk?.stop();
    await folder?.remove();
  });

  const run = async (step: Step): Promise<string> => {
    const programs = [join(ROOT, '.cache', 'venv', 'bin'), join(ROOT, '.cache', 'bin'), process.env['PATH'] ?? ''];
    const { code, stdout, stderr } = await runCommand('sh', ['-euc', `${setUp}\n${steps[step]}`], {
      env: {
        PATH: programs.join(delimiter),
        HOME: folder.path,
        ENDPOINT: tusk.url,
        HOST: new URL(tusk.url).host,
        TOKEN: ROOT_TOKEN,
        BUCKET: bucket,
        OTHER: other,
        AWS_EC2_METADATA_DISABLED: 'true',
        no_proxy: '*',
        ...(transport === 'https' && trusts !== undefined ? { [trusts]: CERTIFICATE_FILE } : {}),
      },
      cwd: folder.path,
    });
    expect(code, `${steps[step]}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  const stored = (name: string, path: string): Promise<Answer> => send(tusk.url, 'GET', `/${name}/${path}`, { key });
  /** How many requests have written so far; the log comes through a pipe, in the order of the answers. */
  const writes = async (): Promise<number> => {
    const { headers } = await send(tusk.url, 'GET', '/', { key });
    const log = () => Promise.resolve(tusk.program.output());
    const output = await eventually('the log is whole', log, (text) =>
      text.includes(String(headers['x-amz-request-id'])),
    );
    return output.match(WRITES)?.length ?? 0;
  };

  const checks: Readonly<Record<Step, () => Promise<void>>> = {
    async put() {
      await run('put');
      expect((await stored(bucket, 'small.txt')).text).toBe(SMALL);
    },
    async get() {
      await run('get');
      expect(await readFile(join(folder.path, 'back.txt'), 'utf8')).toBe(SMALL);
    },
    async multipart() {
      await run('multipart');
      expect((await stored(bucket, 'big.bin')).body.equals(BIG)).toBe(true);
      await writes();
      expect(tusk.program.output()).toContain('"operation":"CompleteMultipartUpload"');
    },
    async sync() {
      await run('sync');
      for (const [path, content] of Object.entries(TREE)) {
        const { body } = await stored(bucket, `tree/${encodeURI(path)}`);
        expect(body.equals(Buffer.from(content as Buffer)), path).toBe(true);
      }
      const before = await writes();
      expect(before).toBeGreaterThan(NAMES.length);
      await run('sync');
      expect(await writes(), 'the second sync moves something').toBe(before);
    },
    async list() {
      const listed = await run('list');
      for (const path of NAMES) expect(listed).toContain(path);
    },
    async copy() {
      await run('copy');
      expect((await stored(other, 'copy.txt')).text).toBe(SMALL);
    },
    async move() {
      await run('move');
      expect((await stored(other, 'moved.txt')).text).toBe(SMALL);
      expect(await stored(other, 'copy.txt')).toMatchObject({ status: 404 });
    },
    async presign() {
      const url = /https?:\/\/\S+/.exec(await run('presign'))?.[0] ?? '';
      expect((await follow(url.replaceAll('\\u0026', '&'))).text).toBe(SMALL);
    },
    async delete() {
      await run('delete');
      expect(await stored(bucket, 'small.txt')).toMatchObject({ status: 404, code: 'NoSuchKey' });
    },
  };
  for (const step of STEPS.filter((name) => steps[name] !== undefined)) it(step, checks[step]);
}
