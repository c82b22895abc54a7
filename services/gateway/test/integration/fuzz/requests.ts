import { type Signing, sign } from '../../support/signature.ts';
import type { Choices } from '../history/seeded.ts';

/** A request that would be right, before it is spoiled. */
export interface Sound {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const KEY = { accessKey: 'any-key', secretKey: 'any-key' };
const SIGNINGS: readonly Signing[] = [
  'v4',
  'v4-unsigned-payload',
  'v4-streaming',
  'v4-streaming-trailer',
  'v4-streaming-unsigned-trailer',
  'v2',
];

const WORDS = [
  '',
  'a',
  'kept',
  'n-1',
  'a/b',
  'é',
  '%2F',
  '..',
  '/',
  '*',
  '\u0000',
  'x'.repeat(300),
  '-1',
  '1001',
  '99999999999999999999',
];
const RANGES = [
  'bytes=99-',
  'bytes=0-3',
  'bytes=-2',
  'bytes=5-',
  'bytes=0-1,3-4',
  'bytes=9-1',
  'bytes=',
  'lines=1',
  `bytes=${'0-1,'.repeat(40)}`,
];
const DATES = ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994', 'yesterday', ''];
const SUB_RESOURCES = [
  'acl',
  'tagging',
  'cors',
  'versions',
  'uploads',
  'location',
  'attributes',
  'policyStatus',
  'nonsense',
  'partNumber=1',
];

/** One request of some kind on a bucket; `own` is a key that only it may store. */
export function soundRequest(choices: Choices, host: string, bucket: string, own: string): Promise<Sound> {
  const { pick, below } = choices;
  const base = { host };
  const plain = (method: string, target: string, headers: Readonly<Record<string, string>> = {}, body = ''): Sound => ({
    method,
    target,
    headers: {
      ...base,
      ...headers,
      ...(body === '' && method === 'GET' ? {} : { 'content-length': String(body.length) }),
    },
    body,
  });
  const path = `/${bucket}/${own}`;
  switch (below(11)) {
    case 0: {
      const names = [
        'list-type=2',
        'prefix',
        'delimiter',
        'max-keys',
        'start-after',
        'marker',
        'continuation-token',
        'encoding-type',
      ];
      const query = Array.from({ length: below(4) }, () => `${pick(names)}=${encodeURIComponent(pick(WORDS))}`);
      return Promise.resolve(plain('GET', `/${bucket}?${query.join('&')}`));
    }
    case 1: {
      const headers = {
        range: pick(RANGES),
        [pick(['if-match', 'if-none-match', 'if-range'])]: pick(['*', '"x"', 'W/"x"', '"', '']),
      };
      const dates = { [pick(['if-modified-since', 'if-unmodified-since'])]: pick(DATES) };
      return Promise.resolve(plain(pick(['GET', 'HEAD']), `/${bucket}/kept`, { ...headers, ...dates }));
    }
    case 2:
      return Promise.resolve(
        plain(pick(['GET', 'PUT', 'DELETE', 'POST']), `/${bucket}${pick(['', '/kept'])}?${pick(SUB_RESOURCES)}`),
      );
    case 3:
      return signed(choices, host, path);
    case 4:
      return Promise.resolve({
        method: 'PUT',
        target: path,
        headers: { ...base, 'transfer-encoding': 'chunked' },
        body: '5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n',
      });
    case 5: {
      const keys = Array.from(
        { length: below(4) },
        () => `<Object><Key>${pick(['gone', 'a&amp;b', '<![CDATA[x]]>', '&#65;'])}</Key></Object>`,
      );
      return Promise.resolve(
        plain(
          'POST',
          `/${bucket}?delete`,
          {},
          `<?xml version="1.0"?><Delete xmlns="x"><Quiet>true</Quiet>${keys.join('')}</Delete>`,
        ),
      );
    }
    case 6: {
      const part = '<Part><PartNumber>1</PartNumber><ETag>"0"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>';
      return Promise.resolve(
        plain(
          'POST',
          `${path}?uploadId=${pick(['x', '0'.repeat(33), own])}`,
          {},
          `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`,
        ),
      );
    }
    case 7:
      return Promise.resolve(
        plain('POST', `/${bucket}`, { 'content-type': 'multipart/form-data; boundary=XX' }, formOf(own)),
      );
    case 8:
      return Promise.resolve(
        plain('PUT', path, {
          'x-amz-copy-source': pick([`/${bucket}/kept`, 'kept', `${bucket}/kept?versionId=1`, '%']),
        }),
      );
    case 9:
      return Promise.resolve(
        plain(pick(['PUT', 'DELETE', 'GET']), `/${bucket}/${encodeURI(pick(WORDS))}`, {}, 'hello'),
      );
    default:
      return Promise.resolve(
        plain(
          'PUT',
          path,
          { 'x-amz-checksum-crc32': pick(['NhCmhg==', 'AAAAAA==', 'x']), 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' },
          'hello',
        ),
      );
  }
}

async function signed({ pick }: Choices, host: string, path: string): Promise<Sound> {
  const body = Buffer.from('hello world, once more and again');
  const headers = { host, 'content-length': String(body.length) };
  const draft = { method: 'PUT', path, query: [], headers, body };
  const whole = await sign(draft, pick(SIGNINGS), { key: KEY, at: new Date(), chunks: [11, 21] });
  return { method: 'PUT', target: path, headers: whole.headers, body: Buffer.from(whole.body).toString('latin1') };
}

function formOf(key: string): string {
  const field = (name: string, value: string) =>
    `--XX\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  return `${field('key', key)}${field('acl', 'private')}${field('file', 'from a form')}--XX--\r\n`;
}

/** Latin-1, so that every byte is one character. */
export function bytesOf({ method, target, headers, body }: Sound): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

const PIECES = [
  '\r\n',
  '\n',
  '\0',
  '%',
  '%00',
  '%zz',
  '%2F',
  '+',
  '//',
  '/../',
  '?',
  '&',
  '=',
  ';',
  ' ',
  '\t',
  '\xff\xfe',
  '\xc3',
  '-1',
  '0',
  'ffffffff',
  '18446744073709551616',
  '<!DOCTYPE x>',
  '<a>',
  '</',
  '&#0;',
  '&x;',
  ']]>',
  '--XX',
  ';chunk-signature=',
  'x-amz-meta-a: b\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'A'.repeat(5_000),
];

/** Takes bytes away, doubles them, turns their bits, or puts in what parsers stumble over. */
export function spoil(text: string, { below, pick }: Choices): string {
  let bytes = text;
  for (let left = below(5); left > 0; left -= 1) {
    const at = below(bytes.length + 1);
    const length = below(pick([2, 8, 64]));
    const [before, piece, after] = [bytes.slice(0, at), bytes.slice(at, at + length), bytes.slice(at + length)];
    switch (below(10)) {
      case 0:
      case 1:
        bytes = before + after;
        break;
      case 2:
      case 3:
        bytes = before + piece + piece + after;
        break;
      case 4:
      case 5:
        bytes = `${before}${[...piece].map((character) => String.fromCharCode(character.charCodeAt(0) ^ (1 << below(8)))).join('')}${after}`;
        break;
      case 6:
        bytes = before;
        break;
      default:
        bytes = before + pick(PIECES) + piece + after;
    }
  }
  return bytes;
}
