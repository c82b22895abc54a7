import type { Credential } from './auth/credential.ts';
import { verifiedBody } from './auth/verified-body.ts';
import { S3Error } from './errors.ts';
import type { HttpBody, HttpRequest } from './http.ts';
import { parseXml, type XmlNode } from './wire/xml-read.ts';

/** The largest object of one request. Source: S3 API reference, PutObject. */
const OBJECT_MAX_BYTES = 5 * 2 ** 30;

/** The body of a request, decoded and checked while it is read. Either of these may be called once. */
export interface RequestBody {
  /**
   * The bytes of an object or a part, and how many they are to be. They count only after a clean end: until then they may yet prove wrong.
   * @throws S3Error EntityTooLarge, MissingContentLength, and those of `verifiedBody`, at once or while reading
   */
  content(): HttpBody;
  /** An XML document; undefined if there is none. @throws S3Error MaxMessageLengthExceeded, MalformedXML, and those of `verifiedBody` */
  document(maxBytes: number): Promise<XmlNode | undefined>;
}

export function requestBody(http: HttpRequest, credential: Credential): RequestBody {
  const verified = () => {
    const secretKey = credential.kind === 'anonymous' ? undefined : credential.accessKey;
    return verifiedBody({ body: http.body, headers: http.headers, credential, secretKey });
  };

  return {
    content() {
      if (http.headers.get('content-length') === undefined && http.headers.get('transfer-encoding') === undefined) {
        throw new S3Error('MissingContentLength');
      }
      const { chunks, decodedLengthBytes } = verified();
      if (decodedLengthBytes !== undefined && decodedLengthBytes > OBJECT_MAX_BYTES) throw tooLarge();
      const content = atMost(chunks, OBJECT_MAX_BYTES, tooLarge);
      return { lengthBytes: decodedLengthBytes, [Symbol.asyncIterator]: () => content };
    },

    async document(maxBytes) {
      const { chunks, decodedLengthBytes } = verified();
      const tooLong = () => new S3Error('MaxMessageLengthExceeded');
      if (decodedLengthBytes !== undefined && decodedLengthBytes > maxBytes) throw tooLong();
      const parts: Uint8Array[] = [];
      for await (const chunk of atMost(chunks, maxBytes, tooLong)) parts.push(chunk);
      const bytes = Buffer.concat(parts);
      return bytes.length === 0 ? undefined : parseXml(bytes);
    },
  };
}

function tooLarge(): S3Error {
  return new S3Error('EntityTooLarge', { elements: [['MaxSizeAllowed', String(OBJECT_MAX_BYTES)]] });
}

async function* atMost(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  error: () => S3Error,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw error();
    yield chunk;
  }
}
