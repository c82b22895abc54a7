import { createHash } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import type { Answer } from '../../support/http.ts';
import type { Exchange, RecordedResponse } from './exchange.ts';
import { fillIn, type Learnt } from './replay.ts';

/** What holds over all answers of a replay: the same bytes have the same ETag, whatever its value. */
export type KnownEtags = Map<string, string>;

/** In which respects an answer is not what was expected, by the rules of README.md; none: it is. */
export function differences(
  exchange: Exchange,
  expected: RecordedResponse,
  answer: Answer,
  learnt: Learnt,
  etags: KnownEtags,
): readonly string[] {
  const found: string[] = [];
  const differ = (what: string, wanted: unknown, got: unknown): void => {
    found.push(`${what}: wanted ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);
  };
  if (answer.status !== expected.status) differ('status', expected.status, `${answer.status} ${answer.code}`);
  const ignored = new Set<string>(exchange.volatile ?? []);
  const isRanges = expected.headers['content-type']?.startsWith('multipart/byteranges') ?? false;
  const isXml = expected.headers['content-type']?.startsWith('application/xml') ?? false;
  const sameEtag = (recorded: string, got: string, of: string): void => {
    if (recorded.includes('{{')) return;
    // A part is not an object: its ETag is of another kind even where the bytes are the same.
    const bytes = `${of} ${recorded.replaceAll('"', '')}`;
    const known = etags.get(bytes) ?? got;
    if (known !== got || got === '') differ('etag of the same bytes', known, got);
    else etags.set(bytes, got);
  };
  const isPart = exchange.request.query?.some(([name]) => name === 'partNumber' || name === 'uploadId') ?? false;

  // The recorded gateway answers some errors without XML. S3 does not: its headers are those of the XML then.
  if (expected.status >= 400 && !isXml) return found;

  for (const [name, wanted] of Object.entries(expected.headers)) {
    const got = answer.headers[name];
    if (ignored.has(name) || wanted === '') continue;
    switch (name) {
      case 'etag':
        sameEtag(wanted, (got ?? '').replaceAll('"', ''), isPart ? 'part' : 'object');
        break;
      case 'content-length':
        if (!isXml && !isRanges && got !== wanted) differ(name, wanted, got);
        break;
      case 'content-type':
        if (isXml && !got?.startsWith('application/xml')) differ(name, wanted, got);
        if (isRanges && !got?.startsWith('multipart/byteranges')) differ(name, wanted, got);
        if (wanted.startsWith('=') && got !== wanted.slice(1)) differ(name, wanted.slice(1), got);
        break;
      case 'last-modified':
      case 'x-amz-request-id':
        if (!got) differ(name, 'to be there', got);
        break;
      // Not S3's: an artefact of how the recorded gateway writes plain text and of its connection.
      case 'x-amz-id-2':
      case 'transfer-encoding':
      case 'x-content-type-options':
        break;
      default:
        if (!matches(wanted, got ?? '', learnt)) differ(name, wanted, got);
    }
  }

  if (expected.bodySha256 !== undefined && sha256(answer.body) !== expected.bodySha256) {
    differ('body', `${expected.bodyLength} bytes`, `${answer.body.length} bytes`);
  }
  if (expected.body === undefined || ignored.has('body') || exchange.request.method === 'HEAD') return found;
  if (expected.body.includes('<Error><Code>')) {
    const code = /<Code>([^<]*)/.exec(expected.body)?.[1] ?? '';
    if (answer.code !== code) differ('code', code, answer.code);
    for (const element of ['Message', 'Resource', 'RequestId']) {
      if (!new RegExp(`<${element}>[^<]+</${element}>`).test(answer.text)) differ(element, 'to be there', answer.text);
    }
    return found;
  }
  if (isXml) {
    const [wanted, got] = [parse(expected.body), parse(answer.text)].map((tree) =>
      filterBuckets(tree, exchange.bucketFilter),
    );
    const part = wanted?.children[0]?.name === 'ListPartsResult' ? 'part' : 'object';
    compareTrees('', wanted as Element, got as Element, {
      differ,
      learnt,
      sameEtag: (recorded, value) => sameEtag(recorded, value.replaceAll('"', ''), part),
    });
    return found;
  }
  const [wanted, got] = [expected.body, answer.text].map(normaliseRanges);
  if (wanted !== got) differ('body', wanted, got);
  return found;
}

interface Element {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Element[];
}

interface Comparison {
  readonly differ: (what: string, wanted: unknown, got: unknown) => void;
  readonly sameEtag: (recorded: string, got: string) => void;
  readonly learnt: Learnt;
}

// Who owns what is free; inside CommonPrefixes the recorded gateway gives an Owner that S3 has not.
const FREE_ELEMENTS = new Set(['Owner', 'Initiator']);
// Elements that the recording lacks are free, but not these: one more of them is another answer.
const ITEMS: Readonly<Record<string, readonly string[]>> = {
  Buckets: ['Bucket'],
  ListBucketResult: ['Contents', 'CommonPrefixes'],
  ListPartsResult: ['Part'],
  ListMultipartUploadsResult: ['Upload', 'CommonPrefixes'],
  DeleteResult: ['Deleted', 'Error'],
};

function compareTrees(path: string, wanted: Element, got: Element, comparison: Comparison): void {
  const items = ITEMS[wanted.name];
  if (wanted.children.length === 0 && items === undefined) {
    if (wanted.name === 'ETag') comparison.sameEtag(wanted.text, got.text);
    else if (!matches(wanted.text, got.text, comparison.learnt)) comparison.differ(path, wanted.text, got.text);
    return;
  }
  for (const name of new Set([...wanted.children.map((child) => child.name), ...(items ?? [])])) {
    if (FREE_ELEMENTS.has(name)) continue;
    const [theirs, ours] = [wanted, got].map((tree) => tree.children.filter((child) => child.name === name));
    if (theirs?.length !== ours?.length) {
      comparison.differ(`${path}/${name}`, theirs?.map(flatten), ours?.map(flatten));
      continue;
    }
    theirs?.forEach((child, index) => {
      compareTrees(`${path}/${name}`, child, ours?.[index] as Element, comparison);
    });
  }
}

function flatten(element: Element): string {
  const first = element.children[0];
  return first === undefined ? element.text : flatten(first);
}

/** A recorded value against a real one, `{{...}}` standing for what is not the same twice. */
function matches(wanted: string, got: string, learnt: Learnt): boolean {
  const patterns: Readonly<Record<string, string>> = {
    commit: '[0-9a-f]{32}',
    requestId: '.+',
    date: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z',
    dateFraction: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z',
    httpDate: '\\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT',
    any: '[\\s\\S]*',
  };
  const known = fillIn(wanted, learnt);
  const source = known.split(/\{\{([^}]+)\}\}/).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return patterns[part] ?? '[^<]*';
  });
  return new RegExp(`^${source.join('')}$`).test(got);
}

function parse(xml: string): Element {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: true,
    parseTagValue: false,
    trimValues: false,
  });
  return { name: '', text: '', children: elementsOf(parser.parse(xml) as readonly Raw[]) };
}

type Raw = Readonly<Record<string, readonly Raw[] | string>>;

function elementsOf(nodes: readonly Raw[]): readonly Element[] {
  return nodes.flatMap((node) => {
    const [name, content] = Object.entries(node)[0] ?? ['', ''];
    if (name === '' || name === '#text' || name.startsWith('?') || typeof content === 'string') return [];
    const text = content.map((child) => child['#text'] ?? '').join('');
    return [{ name, text: unescapeNumeric(text), children: elementsOf(content) }];
  });
}

function unescapeNumeric(text: string): string {
  return text
    .replace(/&#x([0-9A-Fa-f]+);/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, digits: string) => String.fromCodePoint(Number(digits)));
}

// ListBuckets is a set, of which only the buckets of the recording are looked at.
function filterBuckets(tree: Element, words: readonly string[] | undefined): Element {
  if (words === undefined) return tree;
  const keep = (bucket: Element): boolean => words.some((word) => flatten(bucket).includes(word));
  const visit = (element: Element): Element => ({
    ...element,
    children:
      element.name === 'Buckets'
        ? element.children.filter(keep).sort((a, b) => (flatten(a) < flatten(b) ? -1 : 1))
        : element.children.map(visit),
  });
  return visit(tree);
}

// The boundary is free, and so is the type that was guessed from a name.
function normaliseRanges(text: string): string {
  const boundary = /^--(\S+)\r\n/.exec(text)?.[1];
  if (boundary === undefined) return text;
  return text
    .replaceAll(boundary, 'boundary')
    .replace(/^Content-Type:.*\r\n/gim, '')
    .replace(/^content-range:/gim, 'Content-Range:');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
