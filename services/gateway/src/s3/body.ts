import type { ChecksumAlgorithm } from './auth/checksum.ts';
import type { Credential } from './auth/credential.ts';
import { type ObjectChecksum, type VerifiedBody, verifiedBody } from './auth/verified-body.ts';
import { S3Error } from './errors.ts';
import type { HttpBody, HttpHeaders } from './http.ts';
import type { S3Request } from './request.ts';
import type { Form } from './wire/form-data.ts';
import { parseXml, type XmlNode } from './wire/xml-read.ts';

/** The largest object of one request. Source: S3 API reference, PutObject. */
const OBJECT_MAX_BYTES = 5 * 2 ** 30;

/** The body of a request, decoded and checked while it is read. One of these may be called, once. */
export interface RequestBody {
  /**
   * The bytes of an object or a part, and how many they are to be. They count only after a clean end: until then they may yet prove wrong.
   * @throws S3Error EntityTooLarge, MissingContentLength, and those of `verifiedBody`, at once or while reading
   */
  content(): HttpBody;
  /** By which algorithm the client sums the content up, once that was asked for; undefined if it does not. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  /** The checksum that the client sent of the content, once that came to a clean end; undefined if it sent none. */
  checksum(): ObjectChecksum | undefined;
  /**
   * An XML document; undefined if there is none. `checksumOf`: x-amz-checksum-* is not about the document.
   * @throws S3Error MaxMessageLengthExceeded, MalformedXML, and those of `verifiedBody`
   */
  document(maxBytes: number, checksumOf?: 'the object'): Promise<XmlNode | undefined>;
  /** A text that is no XML. @throws S3Error MaxMessageLengthExceeded, and those of `verifiedBody` */
  text(maxBytes: number): Promise<string>;
}

export function requestBody(request: S3Request, credential: Credential): RequestBody {
  return new SentBody(request, credential);
}

/** A class, since every request has one (and see `IncomingRequest` of `edge` on getters). */
class SentBody implements RequestBody {
  readonly #request: S3Request;
  readonly #credential: Credential;
  #begun: VerifiedBody | undefined;

  constructor(request: S3Request, credential: Credential) {
    this.#request = request;
    this.#credential = credential;
  }

  content(): HttpBody {
    const { headers } = this.#request.http;
    if (headers.get('content-length') === undefined && headers.get('transfer-encoding') === undefined) {
      throw new S3Error('MissingContentLength');
    }
    const { chunks, decodedLengthBytes } = this.#begin();
    if (decodedLengthBytes !== undefined && decodedLengthBytes > OBJECT_MAX_BYTES) throw tooLarge();
    const content = atMost(chunks, OBJECT_MAX_BYTES, tooLarge);
    return { lengthBytes: decodedLengthBytes, [Symbol.asyncIterator]: () => content };
  }

  get checksumAlgorithm(): ChecksumAlgorithm | undefined {
    return this.#begun?.checksumAlgorithm;
  }

  checksum(): ObjectChecksum | undefined {
    return this.#begun?.verifiedChecksum();
  }

  async document(maxBytes: number, checksumOf?: 'the object'): Promise<XmlNode | undefined> {
    const bytes = await this.#bytes(maxBytes, checksumOf);
    return bytes.length === 0 ? undefined : parseXml(bytes);
  }

  async text(maxBytes: number): Promise<string> {
    return (await this.#bytes(maxBytes)).toString();
  }

  async #bytes(maxBytes: number, checksumOf?: 'the object'): Promise<Buffer> {
    const { chunks, decodedLengthBytes } = this.#begin(checksumOf);
    const tooLong = () => new S3Error('MaxMessageLengthExceeded');
    if (decodedLengthBytes !== undefined && decodedLengthBytes > maxBytes) throw tooLong();
    const parts: Uint8Array[] = [];
    for await (const chunk of atMost(chunks, maxBytes, tooLong)) parts.push(chunk);
    return Buffer.concat(parts);
  }

  #begin(checksumOf?: 'the object'): VerifiedBody {
    const { http, form } = this.#request;
    const credential = this.#credential;
    const secretKey = credential.kind === 'anonymous' ? undefined : credential.accessKey;
    const { body, headers } = form === undefined ? http : { body: fileOf(form), headers: formHeaders(form) };
    this.#begun = verifiedBody({ body, headers, credential, secretKey, ...(checksumOf && { checksumOf }) });
    return this.#begun;
  }
}

/** The fields of a form, which say of its file what headers say of a body. */
export function formHeaders({ fields }: Form): HttpHeaders {
  return {
    get: (name) => fields.get(name),
    all: (name) => [fields.get(name)].filter((value) => value !== undefined),
    entries: () => [...fields],
    sizeBytes: 0,
  };
}

function fileOf({ file }: Form): HttpBody {
  return { lengthBytes: undefined, [Symbol.asyncIterator]: () => file[Symbol.asyncIterator]() };
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
