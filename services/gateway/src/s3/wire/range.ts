import { S3Error } from '../errors.ts';

/** Both ends are included and lie within the object: 0 <= first <= last < size. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export type RangeSelection =
  | { readonly kind: 'whole' }
  | ({ readonly kind: 'part' } & ByteRange)
  | { readonly kind: 'parts'; readonly ranges: readonly ByteRange[] }
  | { readonly kind: 'unsatisfiable' };

/** A request for more ranges, or for more bytes than the object has, gains nothing but costs us (RFC 9110, 14.2): it gets the whole. */
const RANGES_MAX = 32;

/** No field that means something is longer; it also bounds the work on a hostile one. */
const HEADER_MAX_LENGTH = 2048;

const WHOLE: RangeSelection = { kind: 'whole' };

/**
 * What a Range header asks of an object of `sizeBytes` (RFC 9110, 14.1.2 and 14.2). A header that is malformed or of another unit
 * is ignored, as RFC 9110 and S3 have it. Of several ranges those beyond the end are left out; one that is left is a plain part.
 */
export function parseRange(header: string | undefined, sizeBytes: number): RangeSelection {
  if (header === undefined || header.length > HEADER_MAX_LENGTH) {
    return WHOLE;
  }
  const set = /^bytes[ \t]*=(.*)$/i.exec(header)?.[1];
  if (set === undefined) {
    return WHOLE;
  }
  const ranges: ByteRange[] = [];
  let asked = 0;
  let totalBytes = 0;
  for (const item of set.split(',')) {
    const spec = item.trim();
    if (spec === '') {
      continue;
    }
    asked += 1;
    const range = parseSpec(spec, sizeBytes);
    if (range === 'malformed' || asked > RANGES_MAX) {
      return WHOLE;
    }
    if (range !== 'beyond') {
      ranges.push(range);
      totalBytes += range.last - range.first + 1;
    }
  }
  const [first] = ranges;
  if (first === undefined) {
    return asked === 0 ? WHOLE : { kind: 'unsatisfiable' };
  }
  if (ranges.length === 1) {
    return { kind: 'part', first: first.first, last: first.last };
  }
  return totalBytes > sizeBytes ? WHOLE : { kind: 'parts', ranges };
}

/**
 * The x-amz-copy-source-range of UploadPartCopy (S3 API reference, UploadPartCopy): only the form `bytes=first-last`.
 * @throws S3Error InvalidArgument for another form; InvalidRange if it does not lie within the source.
 */
export function parseCopySourceRange(header: string, sizeBytes: number): ByteRange {
  const match = /^bytes=([0-9]{1,20})-([0-9]{1,20})$/.exec(header);
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (match === null || first > last) {
    throw new S3Error('InvalidArgument', {
      message: 'The x-amz-copy-source-range value must be of the form bytes=first-last.',
    });
  }
  if (last >= sizeBytes) {
    throw new S3Error('InvalidRange', {
      message: `Range specified is not valid for source object of size: ${sizeBytes}`,
    });
  }
  return { first, last };
}

/** The Content-Range of a part, such as `bytes 0-1/11`. */
export function formatContentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.first}-${range.last}/${sizeBytes}`;
}

/** The Content-Range of a 416, such as `bytes *`/`11`. */
export function formatUnsatisfiedRange(sizeBytes: number): string {
  return `bytes */${sizeBytes}`;
}

/** Numbers past 2^53 lose their low digits, which changes nothing: they are beyond any object, and are cut to its size. */
function parseSpec(spec: string, sizeBytes: number): ByteRange | 'malformed' | 'beyond' {
  const match = /^([0-9]*)[ \t]*-[ \t]*([0-9]*)$/.exec(spec);
  const [, from = '', to = ''] = match ?? [];
  if (match === null || (from === '' && to === '')) {
    return 'malformed';
  }
  if (from === '') {
    const lengthBytes = Math.min(Number(to), sizeBytes);
    return lengthBytes === 0 ? 'beyond' : { first: sizeBytes - lengthBytes, last: sizeBytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? Number.POSITIVE_INFINITY : Number(to);
  if (first > last) {
    return 'malformed';
  }
  return first >= sizeBytes ? 'beyond' : { first, last: Math.min(last, sizeBytes - 1) };
}
