import { S3Error } from '../errors.ts';

/** A form of multipart/form-data (RFC 7578) up to the first byte of its file; what is behind the file is not looked at. */
export interface Form {
  /** By name in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** What the client calls the file, without folders. */
  readonly filename: string;
  /** The bytes of the file, once. @throws S3Error IncompleteBody if the form ends in it, and what the source throws */
  readonly file: AsyncIterable<Uint8Array>;
}

/** Source: S3 API reference, POST Object: "The maximum size of form data before the file". */
const FIELDS_MAX_BYTES = 20 * 1024;
const FIELDS_MAX = 256;
/** RFC 2046 says 70; what some clients send is a little longer. */
const BOUNDARY = /^multipart\/form-data[ \t]*;(?:.*;)?[ \t]*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/i;

/**
 * Reads the fields, and leaves the file to be read.
 * @throws S3Error PreconditionFailed for another media type; MalformedPOSTRequest, MaxPostPreDataLengthExceeded; InvalidArgument for a
 *   field that is there twice, and for no file
 */
export async function readForm(source: AsyncIterable<Uint8Array>, contentType: string | undefined): Promise<Form> {
  const [, quoted, plain] = BOUNDARY.exec(contentType ?? '') ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) {
    throw new S3Error('PreconditionFailed', {
      elements: [['Condition', 'Bucket POST must be of the enclosure-type multipart/form-data']],
    });
  }
  const scanner = scan(source);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const fields = new Map<string, string>();
  let leftBytes = FIELDS_MAX_BYTES;
  const taken = async (mark: Buffer): Promise<Buffer> => {
    const bytes = await scanner.until(mark, leftBytes);
    leftBytes -= bytes.length;
    return bytes;
  };

  await taken(delimiter);
  for (;;) {
    if (await scanner.passes(END)) {
      throw new S3Error('InvalidArgument', { message: 'POST requires exactly one file upload per request.' });
    }
    if ((await taken(CRLF)).toString('latin1').trim() !== '') throw new S3Error('MalformedPOSTRequest');
    const { name, filename } = parseDisposition((await taken(BLANK_LINE)).toString('utf8'));
    if (name === 'file') {
      return { fields, filename: filename.split(/[/\\]/).at(-1) ?? '', file: scanner.stream(delimiter) };
    }
    if (fields.has(name) || fields.size === FIELDS_MAX) {
      throw new S3Error('InvalidArgument', {
        message: 'POST requires each field to be there once.',
        elements: [['ArgumentName', name]],
      });
    }
    fields.set(name, textOf(await taken(delimiter)));
  }
}

const NOTHING = Buffer.alloc(0);
const CRLF = Buffer.from('\r\n');
const END = Buffer.from('--');
const BLANK_LINE = Buffer.from('\r\n\r\n');

/** The name, in lower case, and the file name of a part. */
function parseDisposition(head: string): { name: string; filename: string } {
  const lines = head.split('\r\n');
  if (!lines.every((line) => /^[^:\r\n\0]+:[^\r\n\0]*$/.test(line))) throw new S3Error('MalformedPOSTRequest');
  for (const line of lines) {
    const [, parameters] = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/i.exec(line) ?? [];
    if (parameters === undefined) continue;
    const name = parameterOf(parameters, 'name');
    if (name !== undefined && name !== '') {
      return { name: name.toLowerCase(), filename: parameterOf(parameters, 'filename') ?? '' };
    }
  }
  throw new S3Error('MalformedPOSTRequest');
}

/** Browsers write a quotation mark in a name as %22 (HTML, "multipart form data"); others put a backslash before it. */
function parameterOf(parameters: string, name: string): string | undefined {
  const match = new RegExp(`;[ \\t]*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'i').exec(parameters);
  return (match?.[1]?.replace(/\\(["\\])/g, '$1') ?? match?.[2])?.replaceAll('%22', '"');
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new S3Error('MalformedPOSTRequest', { cause });
  }
}

interface Scanner {
  /** What comes before a mark, which is passed over. @throws S3Error MaxPostPreDataLengthExceeded, MalformedPOSTRequest */
  until(mark: Buffer, maxBytes: number): Promise<Buffer>;
  /** Whether a mark comes next, which is passed over then. */
  passes(mark: Buffer): Promise<boolean>;
  /** What comes before a mark, in pieces as they come. */
  stream(mark: Buffer): AsyncGenerator<Uint8Array, void, undefined>;
}

function scan(source: AsyncIterable<Uint8Array>): Scanner {
  const iterator = source[Symbol.asyncIterator]();
  // The first boundary stands at the beginning of a line, too.
  let unread: Buffer = CRLF;

  async function fill(): Promise<boolean> {
    const next = await iterator.next();
    if (next.done === true) return false;
    unread = unread.length === 0 ? Buffer.from(next.value) : Buffer.concat([unread, next.value]);
    return true;
  }

  return {
    async until(mark, maxBytes) {
      for (;;) {
        const at = unread.indexOf(mark);
        if ((at === -1 ? unread.length - mark.length : at) > maxBytes)
          throw new S3Error('MaxPostPreDataLengthExceeded');
        if (at !== -1) {
          const bytes = unread.subarray(0, at);
          unread = unread.subarray(at + mark.length);
          return bytes;
        }
        if (!(await fill())) throw new S3Error('MalformedPOSTRequest');
      }
    },
    async passes(mark) {
      while (unread.length < mark.length && (await fill()));
      const is = unread.subarray(0, mark.length).equals(mark);
      if (is) unread = unread.subarray(mark.length);
      return is;
    },
    async *stream(mark) {
      for (;;) {
        const at = unread.indexOf(mark);
        // The end may be the beginning of the mark.
        const sure = at === -1 ? Math.max(0, unread.length - mark.length + 1) : at;
        const piece = unread.subarray(0, sure);
        unread = unread.subarray(sure);
        if (piece.length > 0) yield piece;
        if (at !== -1) break;
        if (!(await fill())) throw new S3Error('IncompleteBody');
      }
      // A client that breaks off here has not sent all that it announced.
      let restBytes = unread.length;
      for (;;) {
        if (restBytes > FIELDS_MAX_BYTES) throw new S3Error('MalformedPOSTRequest');
        unread = NOTHING;
        if (!(await fill())) return;
        restBytes += unread.length;
      }
    },
  };
}
