// Four reads to one write. Half of the reads are of what all users share, half of what the user wrote last, which must be its newest version.
import exec from 'k6/execution';
import { anyOf, contentOf, type Data, makeBuckets, succeed } from './data.ts';
import { checkServed, getObject, putObject, send } from './s3.ts';

const OBJECT_BYTES = 2048;
const WRITTEN_PART = 0.2;
const SHARED = Array.from({ length: 256 }, (_, number) => `shared/${number}`);
/** A user writes the same keys again and again, so that a long test does not fill the disk. */
const OWN_KEYS = 32;

/** Of each own key, the content that was acknowledged last. */
const own = new Map<string, string>();
let writes = 0;

export function setupMixture(repo: string): Data {
  const [bucket = ''] = makeBuckets(repo);
  succeed(
    SHARED.map((key) => putObject(bucket, key, contentOf(key, OBJECT_BYTES))),
    'objects',
  );
  return { buckets: [bucket] };
}

export function readOrWrite({ buckets: [bucket = ''] }: Data): void {
  if (Math.random() < WRITTEN_PART) write(bucket);
  else if (own.size > 0 && Math.random() < 0.5) read(bucket, ...anyOf([...own]));
  else {
    const key = anyOf(SHARED);
    read(bucket, key, contentOf(key, OBJECT_BYTES));
  }
}

function write(bucket: string): void {
  const key = `own/${exec.vu.idInTest}/${writes % OWN_KEYS}`;
  writes += 1;
  const content = contentOf(key, OBJECT_BYTES, writes);
  const isThere = checkServed(send(putObject(bucket, key, content)), {
    'the write is acknowledged': ({ status }) => status === 200,
  });
  // Whether one that was not acknowledged is there, nobody knows.
  if (isThere) own.set(key, content);
  else own.delete(key);
}

function read(bucket: string, key: string, content: string): void {
  checkServed(send(getObject(bucket, key)), {
    'the object is what was put last': ({ status, body }) => status === 200 && body === content,
  });
}
