// Somebody else commits at pachd between the moment when a write was judged and the moment when it is made.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket, repoOf } from '../support/buckets.ts';
import { type Answer, encode, send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';
import { type FaultyPachd, startFaultyPachd } from './chaos/faulty-pachd.ts';
import { NO_HARM } from './devpachd-debug.ts';
import { connectOutside, type Outside } from './outside.ts';

/** Long enough for a commit of others, which takes some milliseconds. */
const HELD_MS = 600;

let pachd: FaultyPachd;
let tusk: Tusk;
let outside: Outside;
let bucket: string;

beforeAll(async () => {
  pachd = await startFaultyPachd();
  tusk = await startTusk({ pachd: pachd.address, env: { TUSK_ACCESS_LOG: 'off' } });
  outside = connectOutside(pachd.address);
});
afterAll(async () => {
  expect(await pachd.harm(outside.started)).toEqual(NO_HARM);
  outside.close();
  await tusk.stop();
  await pachd.stop();
});

type Headers = Readonly<Record<string, string>>;
const get = async (key: string) => {
  const { status, text } = await send(tusk.url, 'GET', `/${bucket}/${key}`);
  return status === 200 ? text : status;
};
const put = (key: string, body: string, headers: Headers = {}) =>
  send(tusk.url, 'PUT', `/${bucket}/${key}`, { body, headers });
const etagOf = ({ headers }: Answer) => headers['etag'] ?? '';
const commit = (files: Readonly<Record<string, string | undefined>>) => outside.commit(repoOf(bucket), files);

async function upload(key: string, body: string, headers: Headers): Promise<Answer> {
  const { text } = await send(tusk.url, 'POST', `/${bucket}/${key}`, { query: [['uploads', null]] });
  const id = ['uploadId', /<UploadId>([^<]*)</.exec(text)?.[1] ?? ''] as const;
  const part = await send(tusk.url, 'PUT', `/${bucket}/${key}`, { query: [['partNumber', '1'], id], body });
  const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etagOf(part)}</ETag></Part></CompleteMultipartUpload>`;
  return send(tusk.url, 'POST', `/${bucket}/${key}`, { query: [id], body: document, headers });
}

async function copy(key: string, body: string, headers: Headers): Promise<Answer> {
  await put('source', body);
  const source = encode(`/${bucket}/source`);
  return send(tusk.url, 'PUT', `/${bucket}/${key}`, { headers: { ...headers, 'x-amz-copy-source': source } });
}

const remove = (key: string, _: string, headers: Headers) => send(tusk.url, 'DELETE', `/${bucket}/${key}`, { headers });

const CREATORS = [
  ['PutObject', put],
  ['CopyObject', copy],
  ['CompleteMultipartUpload', upload],
] as const;

/** Holds the commit of a write up, and lets others do something until it is made. */
async function meanwhile(write: () => Promise<Answer>, others: () => Promise<unknown>): Promise<Answer> {
  await pachd.arm(`ModifyFile before delay ${HELD_MS} once`);
  const answer = write();
  await pachd.struck();
  await others();
  return answer;
}

/** The copy's source is there before, so that the first commit that is held up is that of the write itself. */
async function prepared(): Promise<void> {
  bucket = await freshBucket(tusk);
  await put('source', 'new');
}

const copyOnly = (key: string, _: string, headers: Headers) =>
  send(tusk.url, 'PUT', `/${bucket}/${key}`, { headers: { ...headers, 'x-amz-copy-source': `/${bucket}/source` } });

describe.each([CREATORS[0], ['CopyObject', copyOnly] as const, CREATORS[2]])('%s', (_, write) => {
  it('with If-None-Match: * is refused when the object has come meanwhile, and theirs stays', async () => {
    await prepared();
    const answer = await meanwhile(
      () => write('key', 'new', { 'if-none-match': '*' }),
      () => commit({ key: 'theirs' }),
    );
    expect(answer).toMatchObject({ status: 409, code: 'ConditionalRequestConflict' });
    expect(await get('key')).toBe('theirs');
  });

  it('with If-None-Match: * is made when something else has come meanwhile', async () => {
    await prepared();
    const answer = await meanwhile(
      () => write('key', 'new', { 'if-none-match': '*' }),
      () => commit({ other: 'theirs' }),
    );
    expect(answer.status).toBe(200);
    expect(await get('key')).toBe('new');
    expect(await get('other')).toBe('theirs');
  });

  it('without a condition is made, over what has come meanwhile', async () => {
    await prepared();
    const answer = await meanwhile(
      () => write('key', 'new', {}),
      () => commit({ key: 'theirs', other: 'theirs' }),
    );
    expect(answer.status).toBe(200);
    expect(await get('key')).toBe('new');
    expect(await get('other')).toBe('theirs');
  });
});

describe.each([CREATORS[0], ['CopyObject', copyOnly] as const, CREATORS[2], ['DeleteObject', remove] as const])(
  '%s with If-Match',
  (name, write) => {
    it('is refused when the object was written meanwhile, and theirs stays', async () => {
      await prepared();
      const etag = etagOf(await put('key', 'old'));
      const answer = await meanwhile(
        () => write('key', 'new', { 'if-match': etag }),
        () => commit({ key: 'theirs' }),
      );
      expect(answer).toMatchObject({ status: 409, code: 'ConditionalRequestConflict' });
      expect(await get('key')).toBe('theirs');
    });

    it('is refused when the object was removed meanwhile, and it stays so', async () => {
      await prepared();
      const etag = etagOf(await put('key', 'old'));
      const answer = await meanwhile(
        () => write('key', 'new', { 'if-match': etag }),
        () => commit({ key: undefined }),
      );
      // A deletion cannot be told from theirs: it is as if it had come first.
      expect(answer.status).toBe(name === 'DeleteObject' ? 204 : 409);
      expect(await get('key')).toBe(404);
    });

    it('is made when something else has come meanwhile', async () => {
      await prepared();
      const etag = etagOf(await put('key', 'old'));
      const answer = await meanwhile(
        () => write('key', 'new', { 'if-match': etag }),
        () => commit({ other: 'theirs' }),
      );
      expect(answer.status).toBe(name === 'DeleteObject' ? 204 : 200);
      expect(await get('key')).toBe(name === 'DeleteObject' ? 404 : 'new');
      expect(await get('other')).toBe('theirs');
    });
  },
);

describe('while a write is put back', () => {
  /** Holds the commit that puts back, too. */
  async function putBackUnder(others: () => Promise<unknown>): Promise<Answer> {
    await prepared();
    let taken = Promise.resolve();
    const answer = await meanwhile(
      () => put('key', 'new', { 'if-none-match': '*' }),
      async () => {
        await commit({ key: 'theirs' });
        await pachd.arm(`ModifyFile before delay ${HELD_MS} once`);
        taken = pachd
          .struck()
          .then(others)
          .then(() => undefined);
      },
    );
    await taken;
    return answer;
  }

  it('what others write to another key does not bring it back', async () => {
    const answer = await putBackUnder(() => commit({ other: 'theirs' }));
    expect(answer.status).toBe(409);
    expect(await get('key')).toBe('theirs');
    expect(await get('other')).toBe('theirs');
  });

  it('what others write to its key stays', async () => {
    const answer = await putBackUnder(() => commit({ key: 'theirs, again' }));
    expect(answer.status).toBe(409);
    expect(await get('key')).toBe('theirs, again');
  });

  it('what others write to its key stays, although it has the same size', async () => {
    await prepared();
    const sizeBytes = 1_500_000;
    const theirs = 'theirs, '.repeat(sizeBytes / 8);
    let written: Promise<unknown> = Promise.resolve();
    const answer = await meanwhile(
      () => put('key', 'new, mine'.repeat(sizeBytes).slice(0, sizeBytes), { 'if-none-match': '*' }),
      async () => {
        await commit({ key: 'theirs' });
        // Whatever is asked next is what finds out where the commit stands.
        await pachd.arm(`InspectCommit before delay ${HELD_MS} once`);
        written = pachd.struck().then(() => commit({ key: theirs }));
      },
    );
    await written;
    expect(answer.status).toBe(409);
    expect(await get('key')).toBe(theirs);
  });

  it('and pachd loses the answer, it is put back all the same', async () => {
    await prepared();
    const answer = await meanwhile(
      () => put('key', 'new', { 'if-none-match': '*' }),
      async () => {
        await commit({ key: 'theirs' });
        await pachd.arm('ModifyFile after cut once');
      },
    );
    expect(answer.status).toBe(409);
    expect(await get('key')).toBe('theirs');
  });

  it('somebody may have a commit open', async () => {
    await prepared();
    let open = '';
    const answer = await meanwhile(
      () => put('key', 'new', { 'if-none-match': '*' }),
      async () => {
        await commit({ key: 'theirs' });
        await pachd.arm(`ModifyFile before delay ${HELD_MS} once`);
        void pachd.struck().then(async () => {
          open = await outside.start(repoOf(bucket));
        });
      },
    );
    expect(answer.status).toBe(409);
    await outside.finish(repoOf(bucket), open);
    expect(await get('key')).toBe('theirs');
  });
});

describe('a large object that is written once more as it is, and over by others at once', () => {
  it('is answered with its own ETag', async () => {
    await prepared();
    const same = 'mine, again '.repeat(120_000);
    const etag = etagOf(await put('key', same));
    let written: Promise<unknown> = Promise.resolve();
    const answer = await meanwhile(
      () => put('key', same),
      async () => {
        await pachd.arm(`InspectCommit before delay ${HELD_MS} once`);
        written = pachd.struck().then(() => commit({ key: 'theirs' }));
      },
    );
    await written;
    expect([answer.status, etagOf(answer)]).toEqual([200, etag]);
    expect(await get('key')).toBe('theirs');
  });
});

describe('a commit of others that pachd drops', () => {
  it('takes no write along that was made on top of it', async () => {
    await prepared();
    const answer = await meanwhile(
      () => put('key', 'new'),
      () => commit({ collision: 'a file', 'collision/below': 'and a folder', other: 'lost' }),
    );
    expect(answer.status).toBe(200);
    expect(await get('key')).toBe('new');
    expect(await get('other')).toBe(404);
  });

  it('is no reason to doubt a condition that holds on what is before it', async () => {
    await prepared();
    const answer = await meanwhile(
      () => put('key', 'new', { 'if-none-match': '*' }),
      () => commit({ collision: 'a file', 'collision/below': 'and a folder', key: 'lost' }),
    );
    expect(answer.status).toBe(200);
    expect(await get('key')).toBe('new');
  });
});

describe('a commit of others that spoils the one of a round', () => {
  it('costs only the write that collides with it', async () => {
    await prepared();
    let answers: readonly Answer[] = [];
    await meanwhile(
      async () => {
        // The first one opens the round's gate; those after it go together, and their commit is the one that is held up.
        answers = await Promise.all([put('folder/key', 'collides'), put('free', 'kept'), remove('source', '', {})]);
        return answers[0] as Answer;
      },
      () => commit({ folder: 'a file' }),
    );
    expect(answers.map(({ status, code }) => [status, code])).toEqual([
      [409, 'ObjectNameConflict'],
      [200, ''],
      [204, ''],
    ]);
    expect(await get('folder')).toBe('a file');
    expect(await get('free')).toBe('kept');
    expect(await get('source')).toBe(404);
  });

  it('is answered 409 to a conditional one, which is not made twice', async () => {
    await prepared();
    const answer = await meanwhile(
      () => put('folder/key', 'collides', { 'if-none-match': '*' }),
      () => commit({ folder: 'a file' }),
    );
    expect(answer).toMatchObject({ status: 409, code: 'ConditionalRequestConflict' });
    expect(await get('folder')).toBe('a file');
    expect(await get('folder/key')).toBe(404);
  });
});

it('a commit that somebody opens between is not written into, and nothing is lost when it is finished', async () => {
  await prepared();
  let open = '';
  const answer = await meanwhile(
    () => put('key', 'new'),
    async () => {
      open = await outside.start(repoOf(bucket));
      await outside.modify(repoOf(bucket), open, { other: 'theirs' });
    },
  );
  expect(answer).toMatchObject({ status: 200, headers: { 'x-amz-version-id': open } });
  await outside.finish(repoOf(bucket), open);
  expect(await get('key')).toBe('new');
  expect(await get('other')).toBe('theirs');
});

it('an answer that pachd cannot explain is not taken for a refusal', async () => {
  await prepared();
  await pachd.arm("ModifyFile after error UNKNOWN 'something went wrong' once");
  const answers = await Promise.all([put('one', '1', { 'if-none-match': '*' }), put('two', '2')]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect([await get('one'), await get('two')]).toEqual(['1', '2']);
});

it.each(['before', 'after'])(
  'a condition is judged when pachd loses the answer that says where it stands (%s)',
  async (when) => {
    await prepared();
    const answer = await meanwhile(
      () => put('key', 'new', { 'if-none-match': '*' }),
      async () => {
        await commit({ key: 'theirs' });
        await pachd.arm(`InspectCommit ${when} cut times 4`);
      },
    );
    expect(answer.status).toBe(409);
    expect(await get('key')).toBe('theirs');
  },
);
