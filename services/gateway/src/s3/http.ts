/**
 * HTTP as the protocol sees it. `edge` makes a request of what uWebSockets.js hands over and sends the answer back;
 * nothing else of the server leaks past this page, so a second adapter (node:http) could be written in an afternoon.
 */

export interface HttpRequest {
  /** Upper case, as sent. */
  readonly method: string;
  /** As sent, still percent-encoded; begins with a slash. Signatures are computed over exactly this. */
  readonly rawPath: string;
  /** As sent, without the question mark; empty if there is none. */
  readonly rawQuery: string;
  readonly headers: HttpHeaders;
  readonly body: HttpBody;
  /** Aborted when the client is gone; every wait of the request ends with it. */
  readonly signal: AbortSignal;
}

/** Header fields by lower-case name. Values are what was sent, without surrounding blanks (RFC 9110, 5.5). */
export interface HttpHeaders {
  /** The first value, or undefined. */
  get(name: string): string | undefined;
  /** Every value of a field in the order sent; empty if there is none. */
  all(name: string): readonly string[];
  /** Every field in the order sent. */
  entries(): readonly (readonly [name: string, value: string])[];
  /** The size of the header block: names, values and four bytes a field. */
  readonly sizeBytes: number;
}

/**
 * The body as it comes off the socket. Reading drives the socket: when nobody reads, it is paused after a bounded number of
 * buffered bytes. It may be read once. It throws BodyAborted when the client goes away, and BodyStalled when nothing came for too long.
 */
export interface HttpBody extends AsyncIterable<Uint8Array> {
  /** What Content-Length announced, in bytes; undefined with chunked coding; 0 when there is no body. */
  readonly lengthBytes: number | undefined;
}

export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';
}

export class BodyStalled extends Error {
  override readonly name = 'BodyStalled';
}

export interface HttpAnswer {
  readonly status: number;
  /** Without Content-Length, Connection and Transfer-Encoding: those are the edge's. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: HttpAnswerBody;
}

export type HttpAnswerBody =
  /** Nothing. `lengthBytes` is what Content-Length says to a HEAD request; left out where it must not be sent (204, 304). */
  | { readonly kind: 'empty'; readonly lengthBytes?: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /**
   * Pulled as fast as the client reads. With a length it must give exactly that many bytes: if it throws or ends early the
   * connection is cut, so that no client takes a part for the whole. Without a length it goes out in chunked coding.
   */
  | { readonly kind: 'stream'; readonly lengthBytes: number | undefined; readonly chunks: AsyncIterable<Uint8Array> };

/** The protocol's entry: resolves for every request, and never throws. */
export type Handle = (request: HttpRequest) => Promise<HttpAnswer>;
