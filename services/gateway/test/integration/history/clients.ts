import { type Answer, encode, type SendOptions, send } from '../../support/http.ts';
import type { Effect } from './linearizable.ts';
import type { Note, Record } from './record.ts';
import type { Choices } from './seeded.ts';

/** The keys that all clients work on. */
const KEYS = ['a', 'b', 'folder/c', 'folder/d'];
/**
 * Those of them that somebody outside writes to, and those for conditional requests. They are apart, since a conditional write that meets
 * another's commit of the same key may be seen before it is taken back (docs/architecture.md, "Writes").
 */
export const OUTSIDE_KEYS = ['a', 'folder/c'];
const CONDITIONAL_KEYS = ['b', 'folder/d'];
/** One of each. */
const PLAIN_KEYS = ['a', 'b'];
/** Between two reads of who does nothing else. */
const READ_PAUSE_MS = 10;
/** Small enough to wait in memory, and large enough to go through a file set. */
const SIZES_BYTES = [16, 16, 16, 5_000, 1_000_001];

type Headers = NonNullable<SendOptions['headers']>;

/** What an answer says of a write. */
type Verdict = 'done' | 'not done' | 'unsure';

/**
 * What a client does: everything; or with small objects, as fast as it goes, plain writes and reads on two keys, or conditional writes and
 * reads on the keys that somebody outside writes to, too; or it reads the two keys of either.
 */
export type Work = 'all' | 'plain' | 'conditional' | 'reads' | 'watch';

export interface ClientOptions {
  readonly name: string;
  readonly choices: Choices;
  /** Asked before each request. */
  readonly goesOn: () => boolean;
  readonly work?: Work;
  /** Whether connections may break: nobody knows then what became of the request. Otherwise it is an error. */
  readonly mayBreak: boolean;
}

/**
 * One client of a bucket: it makes one request after the other, and notes what became of it. Told to come back later, it does so.
 * @param urls the gateways, of which it takes any for each request
 * @throws when an answer is none that S3 gives for such a request
 */
export async function runClient(
  urls: readonly string[],
  bucket: string,
  record: Record,
  options: ClientOptions,
): Promise<void> {
  const { name, choices, goesOn, mayBreak, work = 'all' } = options;
  const keys = { all: KEYS, plain: PLAIN_KEYS, conditional: OUTSIDE_KEYS, reads: PLAIN_KEYS, watch: OUTSIDE_KEYS }[
    work
  ];
  const conditionalKeys = work === 'conditional' ? keys : CONDITIONAL_KEYS.filter((key) => keys.includes(key));
  let copies = 0;
  let sources = 0;
  const ask = (method: string, key: string, how?: SendOptions) => request(method, `/${bucket}/${key}`, how);
  const actions = {
    all: [put, put, put, create, swap, get, get, head, list, remove, removeMany, copy],
    plain: [put, create, remove, get, get, get, get, get, get, head],
    conditional: [create, create, swap, remove, get, get, get],
    reads: [getAndPause],
    watch: [getAndPause],
  }[work];
  while (goesOn()) await choices.pick(actions)();

  async function request(method: string, path: string, how: SendOptions = {}): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await send(choices.pick(urls), method, path, how);
    } catch (error) {
      if (!mayBreak) throw error;
      answer = BROKEN;
    }
    answer = afterWhiteSpace(answer);
    if (isBusy(answer.status)) {
      const seconds = Number(answer.headers['retry-after']);
      if (!(seconds > 0)) throw new Error(`${answer.status} without Retry-After: ${answer.text}`);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    }
    return answer;
  }

  async function put(): Promise<void> {
    const key = choices.pick(keys);
    const { value, content } = record.newContent(work === 'all' ? choices.pick(SIZES_BYTES) : 16);
    const note = record.call();
    noteWrite(await write(key, content), note, key, { kind: 'write', value });
  }

  async function create(): Promise<void> {
    const key = choices.pick(conditionalKeys);
    const { value, content } = record.newContent(16);
    const note = record.call();
    const answer = await write(key, content, { 'if-none-match': '*' });
    if (answer?.status === 412) return note(key, { kind: 'present' });
    noteWrite(answer, note, key, { kind: 'create', value });
  }

  async function swap(): Promise<void> {
    const key = choices.pick(conditionalKeys);
    const seen = await ask('HEAD', key);
    const etag = seen.headers['etag'];
    const over = etag && record.valueOfEtag(etag);
    if (seen.status !== 200 || etag === undefined || over === undefined) return;
    const { value, content } = record.newContent(16);
    const removes = choices.below(4) === 0;
    const note = record.call();
    const condition = { 'if-match': etag };
    const answer = removes ? await ask('DELETE', key, { headers: condition }) : await write(key, content, condition);
    if (answer?.status === 412) return note(key, { kind: 'differs', from: over });
    if (answer?.code === 'NoSuchKey') return note(key, { kind: 'read', value: undefined });
    noteWrite(answer, note, key, { kind: 'swap', over, value: removes ? undefined : value });
  }

  /** Writes an object in one of the ways that S3 has for it. undefined: it came to nothing before the write itself was asked for. */
  async function write(key: string, content: Uint8Array, headers: Headers = {}): Promise<Answer | undefined> {
    switch (work === 'all' ? choices.below(5) : undefined) {
      case 0:
        return upload(key, content, headers);
      case 1: {
        sources += 1;
        const source = `sources/${name}-${sources}`;
        if ((await ask('PUT', source, { body: content })).status !== 200) return undefined;
        const copySource = encode(`/${bucket}/${source}`);
        return ask('PUT', key, { headers: { ...headers, 'x-amz-copy-source': copySource } });
      }
      default:
        return ask('PUT', key, { body: content, headers });
    }
  }

  async function upload(key: string, content: Uint8Array, headers: Headers): Promise<Answer | undefined> {
    const begun = await ask('POST', key, { query: [['uploads', null]] });
    const uploadId = /<UploadId>([^<]*)</.exec(begun.text)?.[1] ?? '';
    const part = await ask('PUT', key, {
      query: [
        ['partNumber', '1'],
        ['uploadId', uploadId],
      ],
      body: content,
    });
    if (begun.status !== 200 || part.status !== 200) return undefined;
    const etag = part.headers['etag'];
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    const answer = await ask('POST', key, { query: [['uploadId', uploadId]], body, headers });
    // A gateway, or Redis, that was started anew may not know of it any more; one that forgot some of it misses the part.
    return mayBreak && ['NoSuchUpload', 'InvalidPart'].includes(answer.code) ? undefined : answer;
  }

  function noteWrite(
    answer: Answer | undefined,
    note: Note,
    key: string,
    effect: Effect & { value: string | undefined },
  ) {
    if (answer === undefined) return;
    const verdict = verdictOf('a write', answer, effect.value === undefined ? 204 : 200);
    if (verdict === 'done' && effect.value !== undefined) record.learnEtag(etagOf(answer), effect.value);
    // Of a condition that was found not to hold after all; what it wrote is taken back by then, and where nothing breaks nobody saw it.
    if (answer.code === 'ConditionalRequestConflict') {
      if (mayBreak) note(key, effect, 'taken back');
    } else if (verdict !== 'not done') note(key, effect, verdict === 'unsure');
  }

  async function get(): Promise<void> {
    const key = choices.pick(keys);
    const note = record.call();
    const answer = await ask('GET', key);
    if (answer.status === 404) return note(key, { kind: 'read', value: undefined });
    if (isBusy(answer.status)) return;
    expectStatus('GetObject', answer, 200);
    const value = record.valueOf(answer.body);
    record.learnEtag(answer.headers['etag'] ?? '', value);
    note(key, { kind: 'read', value });
  }

  async function getAndPause(): Promise<void> {
    await get();
    await new Promise((resolve) => setTimeout(resolve, READ_PAUSE_MS));
  }

  async function head(): Promise<void> {
    const key = choices.pick(keys);
    const note = record.call();
    const answer = await ask('HEAD', key);
    if (answer.status === 404) return note(key, { kind: 'read', value: undefined });
    if (isBusy(answer.status)) return;
    expectStatus('HeadObject', answer, 200);
    const value = record.valueOfEtag(answer.headers['etag'] ?? '');
    note(key, value === undefined ? { kind: 'present' } : { kind: 'read', value });
  }

  async function list(): Promise<void> {
    const note = record.call();
    const answer = await request('GET', `/${bucket}`, { query: [['list-type', '2']] });
    if (isBusy(answer.status)) return;
    expectStatus('ListObjectsV2', answer, 200);
    const listed = new Map(
      [...answer.text.matchAll(/<Key>([^<]*)<\/Key>.*?<ETag>([^<]*)<\/ETag>/gs)].map(([, key = '', etag = '']) => [
        key,
        etag.replaceAll('&quot;', '"').replaceAll('&#34;', '"'),
      ]),
    );
    for (const key of KEYS) {
      const etag = listed.get(key);
      if (etag === undefined) note(key, { kind: 'read', value: undefined });
      else {
        const value = record.valueOfEtag(etag);
        note(key, value === undefined ? { kind: 'present' } : { kind: 'read', value });
      }
    }
  }

  async function remove(): Promise<void> {
    const key = choices.pick(keys);
    const note = record.call();
    const answer = await ask('DELETE', key);
    const verdict = verdictOf('DeleteObject', answer, 204);
    if (verdict !== 'not done') note(key, { kind: 'write', value: undefined }, verdict === 'unsure');
  }

  async function removeMany(): Promise<void> {
    const keys = KEYS.filter(() => choices.below(2) === 0);
    if (keys.length === 0) return;
    const body = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`;
    const note = record.call();
    const answer = await request('POST', `/${bucket}`, { query: [['delete', null]], body });
    const verdict = verdictOf('DeleteObjects', answer);
    for (const key of keys) {
      const deleted = verdict === 'done' && answer.text.includes(`<Deleted><Key>${key}</Key></Deleted>`);
      note(key, { kind: 'write', value: undefined }, !deleted);
    }
  }

  /** To a key of its own, where nobody else writes: what was acknowledged must be there. */
  async function copy(): Promise<void> {
    const source = choices.pick(KEYS);
    copies += 1;
    const target = `copies/${name}-${copies}`;
    const note = record.call();
    const noteTarget = record.call();
    const answer = await ask('PUT', target, { headers: { 'x-amz-copy-source': encode(`/${bucket}/${source}`) } });
    if (answer.status === 404) return note(source, { kind: 'read', value: undefined });
    if (verdictOf('CopyObject', answer) !== 'done') return;
    const copied = record.valueOfEtag(etagOf(answer));
    if (copied !== undefined) noteTarget(target, { kind: 'write', value: copied });
    const got = await ask('GET', target);
    if (isBusy(got.status)) return;
    expectStatus('GetObject of a copy', got, 200);
    const value = record.valueOf(got.body);
    record.learnEtag(etagOf(answer), value);
    note(source, { kind: 'read', value });
  }
}

/** Where an answer has it: a header, or an element. */
function etagOf({ headers, text }: Answer): string {
  return headers['etag'] ?? /<ETag>([^<]*)<\/ETag>/.exec(text)?.[1]?.replaceAll(/&quot;|&#34;/g, '"') ?? '';
}

const LATE_STATUS: Readonly<{ [code: string]: number }> = {
  ConditionalRequestConflict: 409,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  ObjectNameConflict: 409,
  PreconditionFailed: 412,
};

/** What took long was answered 200 before its outcome was known: then the body tells. */
function afterWhiteSpace(answer: Answer): Answer {
  if (answer.status !== 200 || !answer.text.includes('<Error>')) return answer;
  const status = LATE_STATUS[answer.code];
  const busy = ['SlowDown', 'ServiceUnavailable'].includes(answer.code);
  return { ...answer, status: busy ? 503 : (status ?? 400), headers: { ...answer.headers, 'retry-after': '1' } };
}

/** A request without an answer: as if the client had been told to try again at once. */
const BROKEN: Answer = {
  status: 503,
  headers: { 'retry-after': '0.1' },
  body: Buffer.alloc(0),
  text: '',
  code: '',
};

/** 503: not now; 409: others keep writing, or the key is below an object of theirs. Whether anything was done is then not known. */
function verdictOf(operation: string, answer: { status: number; code: string; text: string }, ok = 200): Verdict {
  if (answer.status === ok) return 'done';
  if (answer.code === 'ObjectNameConflict') return 'not done';
  if (isBusy(answer.status) || answer.status === 409) return 'unsure';
  expectStatus(operation, answer, ok);
  return 'unsure';
}

function isBusy(status: number): boolean {
  return status === 503;
}

function expectStatus(operation: string, answer: { status: number; text: string }, expected: number): void {
  if (answer.status !== expected) throw new Error(`${operation}: ${answer.status} ${answer.text}`);
}
