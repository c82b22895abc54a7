import type { ObjectChecksum, Part, PartChecksum, PartContent, Upload, UploadChecksum } from '../pfs/uploads.ts';
import { type ChecksumAlgorithm, startChecksum } from './auth/checksum.ts';
import { algorithmOf } from './auth/verified-body.ts';
import { S3Error } from './errors.ts';
import type { HttpHeaders } from './http.ts';
import { combineCrc, isCrc } from './wire/crc-combine.ts';
import { type Xml, xmlElement } from './wire/xml.ts';
import type { XmlNode } from './wire/xml-read.ts';

/** A part as the client names it when it completes an upload. */
export interface NamedChecksums {
  readonly number: number;
  readonly checksums: readonly PartChecksum[];
}

type ExaminedPart = Pick<Part, 'number' | 'sizeBytes' | 'checksum'>;

/** What the client says of the whole object when it completes an upload. */
export interface Expected {
  readonly checksum: PartChecksum | undefined;
  readonly type: string | undefined;
  readonly sizeBytes: number | undefined;
}

/**
 * How an upload is to be summed up. Source: S3 user guide, "Checking object integrity", "Using full object and composite checksum types".
 * @throws S3Error InvalidRequest
 */
export function parseUploadChecksum(headers: HttpHeaders): UploadChecksum | undefined {
  const name = headers.get('x-amz-checksum-algorithm')?.toUpperCase();
  const type = parseType(headers);
  if (name === undefined) {
    if (type === undefined) return undefined;
    throw invalid('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
  }
  const algorithm = knownAlgorithm(name);
  const only = !isCrc(algorithm) ? 'COMPOSITE' : algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : undefined;
  if (type !== undefined && only !== undefined && type !== only) {
    throw invalid(`The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`);
  }
  return { algorithm, type: type ?? only ?? 'COMPOSITE' };
}

/** The bytes of a part and their checksum: the client's, or else that of the upload. @throws S3Error InvalidRequest */
export function partContent(
  { checksum }: Pick<Upload, 'checksum'>,
  chunks: AsyncIterable<Uint8Array>,
  sent: { readonly algorithm: ChecksumAlgorithm | undefined; readonly value: () => PartChecksum | undefined },
): PartContent {
  if (checksum === undefined) return { chunks, checksum: sent.value };
  if (sent.algorithm !== undefined) {
    if (sent.algorithm === checksum.algorithm) return { chunks, checksum: sent.value };
    throw invalid(
      `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${sent.algorithm.toLowerCase()}`,
    );
  }
  let computed: PartChecksum | undefined;
  const algorithm = algorithmOf(checksum.algorithm);

  async function* summed(): AsyncGenerator<Uint8Array, void, undefined> {
    const sum = await startChecksum(algorithm);
    for await (const chunk of chunks) {
      sum.update(chunk);
      yield chunk;
    }
    computed = { algorithm, value: sum.digest().toString('base64') };
  }

  return { chunks: summed(), checksum: () => computed };
}

/** @throws S3Error InvalidArgument, InvalidRequest, NotImplemented */
export function parseExpected(headers: HttpHeaders): Expected {
  const sizeBytes = headers.get('x-amz-mp-object-size');
  if (sizeBytes !== undefined && !/^\d{1,15}$/.test(sizeBytes)) {
    throw invalid('Value for x-amz-mp-object-size header is invalid.');
  }
  const found = headers
    .entries()
    .filter(([name]) => name.startsWith(PREFIX) && !/^(?:algorithm|mode|type)$/.test(name.slice(PREFIX.length)))
    .map(([name, value]) => ({ algorithm: algorithmOf(name.slice(PREFIX.length)), value }));
  if (found.length > 1)
    throw invalid('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  return {
    checksum: found[0],
    type: parseType(headers),
    sizeBytes: sizeBytes === undefined ? undefined : Number(sizeBytes),
  };
}

/**
 * The checksum of the object that the parts make, if they can be summed up, held against all that the client says of it.
 * @throws S3Error InvalidRequest, InvalidPart, BadDigest
 */
export async function examineParts(
  upload: Pick<Upload, 'checksum'> | undefined,
  parts: readonly ExaminedPart[],
  named: readonly NamedChecksums[],
  expected: Expected,
): Promise<ObjectChecksum | undefined> {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (expected.sizeBytes !== undefined && expected.sizeBytes !== sizeBytes) {
    throw invalid(
      `The provided 'x-amz-mp-object-size' header value ${expected.sizeBytes} does not match what was computed: ${sizeBytes}`,
    );
  }
  const wanted = upload?.checksum ?? wantedOf(expected);
  if (wanted !== undefined && expected.type !== undefined && expected.type !== wanted.type) {
    throw new S3Error('BadDigest', { message: `The upload was created using the ${wanted.type} checksum mode.` });
  }
  const object = wanted === undefined ? undefined : await objectChecksum(wanted, parts);
  if (expected.checksum !== undefined) compare(expected.checksum, object);
  for (const [at, part] of parts.entries()) compareParts(part, named[at]?.checksums ?? [], upload?.checksum);
  return object;
}

/** As lists and results of uploads say it. */
export function checksumElement(checksum: PartChecksum | undefined): Xml | undefined {
  return checksum === undefined ? undefined : xmlElement(`Checksum${checksum.algorithm}`, checksum.value);
}

/** The checksums of a part in the document that completes its upload. */
export function namedChecksums(part: XmlNode): readonly PartChecksum[] {
  return part.children.flatMap(({ name, text }) => {
    const algorithm = /^Checksum([A-Z0-9]+)$/.exec(name)?.[1];
    return algorithm === undefined ? [] : [{ algorithm, value: text.trim() }];
  });
}

const PREFIX = 'x-amz-checksum-';

/** Of an upload that was begun without one, what the client says of the object tells how it is summed up. */
function wantedOf({ checksum, type }: Expected): UploadChecksum | undefined {
  if (checksum === undefined) return undefined;
  const isFull = type === 'FULL_OBJECT' || checksum.algorithm === 'CRC64NVME';
  return { algorithm: checksum.algorithm, type: isFull ? 'FULL_OBJECT' : 'COMPOSITE' };
}

/** undefined if a part was not summed up by that algorithm. */
async function objectChecksum(
  { algorithm, type }: UploadChecksum,
  parts: readonly ExaminedPart[],
): Promise<ObjectChecksum | undefined> {
  const summed = parts.flatMap(({ checksum, sizeBytes }) =>
    checksum?.algorithm === algorithm ? [{ sum: Buffer.from(checksum.value, 'base64'), sizeBytes }] : [],
  );
  if (summed.length < parts.length) return undefined;
  if (type === 'FULL_OBJECT') {
    return isCrc(algorithm) ? { algorithm, type, value: combineCrc(algorithm, summed).toString('base64') } : undefined;
  }
  const sums = await startChecksum(algorithmOf(algorithm));
  for (const { sum } of summed) sums.update(sum);
  return { algorithm, type, value: `${sums.digest().toString('base64')}-${parts.length}` };
}

/** The number of parts behind a composite one may be left out. */
function compare(expected: PartChecksum, object: ObjectChecksum | undefined): void {
  if (object === undefined) {
    throw invalid(`The parts have no ${expected.algorithm.toLowerCase()} checksum that the object's could be made of.`);
  }
  const bare = object.value.replace(/-\d+$/, '');
  if (expected.algorithm !== object.algorithm || (expected.value !== object.value && expected.value !== bare)) {
    throw new S3Error('BadDigest', {
      message: `The ${expected.algorithm} you specified did not match the calculated checksum.`,
    });
  }
}

function compareParts(part: ExaminedPart, named: readonly PartChecksum[], upload: UploadChecksum | undefined): void {
  for (const { algorithm, value } of named) {
    if (part.checksum?.algorithm === algorithm && part.checksum.value === value) continue;
    // One that S3 would have computed, and tusk has not.
    if (part.checksum?.algorithm !== algorithm && upload === undefined) continue;
    throw new S3Error('InvalidPart');
  }
  if (upload?.type === 'COMPOSITE' && !named.some(({ algorithm }) => algorithm === upload.algorithm)) {
    throw invalid(
      `The upload was created using a ${upload.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    );
  }
}

/** @throws S3Error InvalidRequest */
function parseType(headers: HttpHeaders): string | undefined {
  const type = headers.get('x-amz-checksum-type')?.toUpperCase();
  if (type === undefined || type === 'COMPOSITE' || type === 'FULL_OBJECT') return type;
  throw invalid('Value for x-amz-checksum-type header is invalid.');
}

function knownAlgorithm(name: string): ChecksumAlgorithm {
  try {
    return algorithmOf(name);
  } catch (cause) {
    throw new S3Error('InvalidRequest', {
      message:
        'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
      cause,
    });
  }
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', { message });
}
