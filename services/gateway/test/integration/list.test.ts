import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { send } from '../support/http.ts';
import { startTusk, type Tusk } from '../support/tusk.ts';

/** Pieces of names that sort next to each other and to the slash in awkward ways. */
const PIECES = ['a', 'b', 'a-', 'a.b', 'A', ' ', '~', 'a~', 'z', '0', 'b b', '%41', '&<', '-'];

interface Entry {
  readonly name: string;
  readonly prefix: boolean;
}

/** What S3 lists, said as plainly as can be. */
function wanted(keys: readonly string[], prefix: string, delimiter: string, after: string): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const key of keys.filter((one) => one.startsWith(prefix))) {
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = at === -1 ? key : key.slice(0, at + delimiter.length);
    if (name > after && !(at !== -1 && after.startsWith(name))) entries.set(name, { name, prefix: at !== -1 });
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const unescapeXml = (text: string) =>
  text.replace(
    /&(lt|gt|quot|apos|amp);/g,
    (_, name: string) => ({ lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' })[name] ?? '',
  );

function listed(xml: string): readonly Entry[] {
  const keys = [...xml.matchAll(/<Contents><Key>(.*?)<\/Key>/gs)].map((match) => ({
    name: unescapeXml(match[1]!),
    prefix: false,
  }));
  const prefixes = [...xml.matchAll(/<CommonPrefixes><Prefix>(.*?)<\/Prefix>/gs)].map((match) => ({
    name: unescapeXml(match[1]!),
    prefix: true,
  }));
  return [...keys, ...prefixes].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const keyOf = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('/'));

let tusk: Tusk;
let bucket: string;
let keys: readonly string[];

beforeAll(async () => {
  tusk = await startTusk();
  bucket = await freshBucket(tusk);
  const tree = new Set<string>();
  for (const key of fc.sample(keyOf, { numRuns: 90, seed: 20 })) {
    if (![...tree].some((other) => other.startsWith(`${key}/`) || key.startsWith(`${other}/`))) tree.add(key);
  }
  keys = [...tree];
  const answers = await Promise.all(
    keys.map((key) =>
      send(tusk.url, 'PUT', `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`, { body: key }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
});
afterAll(() => tusk?.stop());

describe('a listing', () => {
  it('is what S3 gives, for any prefix, delimiter, marker and page size', async () => {
    const text = fc.constantFrom(...keys).chain((key) => fc.nat(key.length).map((end) => key.slice(0, end)));
    const marker = fc.oneof(
      fc.constant(''),
      text,
      text.map((start) => `${start}/`),
      fc.string({ maxLength: 5 }),
    );
    const delimiter = fc.constantFrom('', '/', '-', 'a', 'b/', '~', ' ');
    await fc.assert(
      fc.asyncProperty(text, delimiter, marker, fc.integer({ min: 1, max: 12 }), async (prefix, by, after, max) => {
        const query = [
          ['list-type', '2'],
          ['prefix', prefix],
          ['delimiter', by],
          ['start-after', after],
          ['max-keys', String(max)],
        ] as const;
        const answer = await send(tusk.url, 'GET', `/${bucket}`, { query });
        const all = wanted(keys, prefix, by, after);
        expect(answer.status).toBe(200);
        expect(listed(answer.text)).toEqual(all.slice(0, max));
        expect(answer.text).toContain(`<IsTruncated>${all.length > max}</IsTruncated>`);
      }),
      { seed: 7, numRuns: 150 },
    );
  });

  it.each([
    ['list-type', '2'],
    ['marker', ''],
    ['versions', ''],
  ])('finds nothing below a slash, and drops it in front of a name (%s)', async (name, value) => {
    const keysUnder = async (prefix: string) => {
      const query = [
        [name, value],
        ['prefix', prefix],
      ] as const;
      const { text } = await send(tusk.url, 'GET', `/${bucket}`, { query });
      return [...text.matchAll(/<Key>/g)].length;
    };
    const word = keys[0]?.slice(0, 1) ?? '';
    expect(await keysUnder('/')).toBe(0);
    expect(await keysUnder('//')).toBe(0);
    expect(await keysUnder(`/${word}`)).toBe(keys.filter((key) => key.startsWith(word)).length);
  });

  it.each(['a[/', 'a{/', 'a(/', '^(/', '*/', 'a-?'])(
    'finds nothing under a prefix that is a pattern: %s',
    async (prefix) => {
      for (const by of ['', '/']) {
        const query = [
          ['list-type', '2'],
          ['prefix', prefix],
          ['delimiter', by],
        ] as const;
        const { status, text } = await send(tusk.url, 'GET', `/${bucket}`, { query });
        expect([status, listed(text)]).toEqual([200, []]);
      }
    },
  );

  it.each(['1', '2'])('gives every entry once when it is walked page by page, in version %s', async (version) => {
    for (const by of ['', '/', '-']) {
      const names: string[] = [];
      let next: string | undefined = '';
      while (next !== undefined) {
        const place =
          version === '2'
            ? [['list-type', '2'], ...(next === '' ? [] : [['continuation-token', next]])]
            : [['marker', next]];
        const query = [...place, ['delimiter', by], ['max-keys', '7']] as [string, string][];
        const { text } = await send(tusk.url, 'GET', `/${bucket}`, { query });
        names.push(...listed(text).map(({ name }) => name));
        const token = /<(?:NextContinuationToken|NextMarker)>(.*?)</.exec(text)?.[1];
        next = token === undefined ? undefined : unescapeXml(token);
      }
      expect(names).toEqual(wanted(keys, '', by, '').map(({ name }) => name));
    }
  });
});
