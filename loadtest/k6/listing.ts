// A bucket's folders, and all pages of one of them.
import { check } from 'k6';
import type { Options } from 'k6/options';
import { contentOf, type Data, keysIn, makeBuckets, succeed } from './lib/data.ts';
import { checkServed, listObjects, putObject, send } from './lib/s3.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const FOLDERS = 20;
const FILES = 100;
const PAGE = 40;
const { users, seconds } = load({ users: 8, seconds: 30 });

export const options: Options = {
  ...COMMON,
  scenarios: { listing: { executor: 'constant-vus', vus: users, duration: `${seconds}s`, gracefulStop: GRACE } },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:ListObjectsV2}': ['p(50)<500', 'p(99)<3000'],
  },
};

const two = (number: number) => String(number).padStart(2, '0');
const folderOf = (number: number) => `folder-${two(number)}/`;
const filesOf = (folder: string) => Array.from({ length: FILES }, (_, number) => `${folder}file-${two(number)}`);
const folders = Array.from({ length: FOLDERS }, (_, number) => folderOf(number));

export function setup(): Data {
  const [bucket = ''] = makeBuckets('listing');
  succeed(
    folders.flatMap(filesOf).map((key) => putObject(bucket, key, contentOf(key, 100))),
    'objects',
  );
  return { buckets: [bucket] };
}

export default function list({ buckets: [bucket = ''] }: Data): void {
  const top = send(listObjects(bucket, { delimiter: '/' }));
  checkServed(top, { 'all folders are listed in order': ({ body }) => String(prefixesIn(body)) === String(folders) });

  const folder = folderOf(Math.floor(Math.random() * FOLDERS));
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const query = { prefix: folder, 'max-keys': String(PAGE), ...(token && { 'continuation-token': token }) };
    const page = send(listObjects(bucket, query));
    if (!checkServed(page, { 'a page is listed': ({ status }) => status === 200 })) return;
    keys.push(...keysIn(page.body));
    token = /<NextContinuationToken>([^<]*)</.exec(String(page.body))?.[1];
  } while (token !== undefined && keys.length < FILES);
  check(keys, {
    'all files are listed in order': () => token === undefined && String(keys) === String(filesOf(folder)),
  });
}

function prefixesIn(body: unknown): readonly (string | undefined)[] {
  return [...String(body).matchAll(/<CommonPrefixes><Prefix>([^<]*)</g)].map(([, prefix]) => prefix);
}

export { teardown } from './lib/data.ts';
