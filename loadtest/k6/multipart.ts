// Objects of three parts: uploaded, completed, read across a part's end and as a whole, deleted.
import { sha256 } from 'k6/crypto';
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { bytesOf, type Data, makeBuckets } from './lib/data.ts';
import { checkServed, deleteObject, getObject, send } from './lib/s3.ts';
import { COMMON, GRACE, load } from './lib/settings.ts';

const MIB = 1 << 20;
/** S3 takes no smaller part but the last. */
const PARTS_BYTES = [5 * MIB, 5 * MIB, MIB];
const { users, seconds } = load({ users: 4, seconds: 30 });
const parts = PARTS_BYTES.map((size, number) => bytesOf(`part ${number}`, size));
// As much of the first part as of the second.
const [EDGE_FIRST, EDGE_END] = [5 * MIB - 1000, 5 * MIB + 1000];
const { wholeSha256, edgeSha256 } = hashesOf(parts);

export const options: Options = {
  ...COMMON,
  scenarios: { multipart: { executor: 'constant-vus', vus: users, duration: `${seconds}s`, gracefulStop: GRACE } },
  thresholds: {
    checks: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:UploadPart}': ['p(50)<5000', 'p(99)<20000'],
    'http_req_duration{name:CompleteMultipartUpload}': ['p(50)<5000', 'p(99)<20000'],
    'http_req_duration{name:GetObject}': ['p(50)<5000', 'p(99)<20000'],
  },
};

export function setup(): Data {
  return { buckets: makeBuckets('multipart') };
}

export default function uploadAndRead({ buckets: [bucket = ''] }: Data): void {
  const key = `${exec.vu.idInTest}/${exec.vu.iterationInInstance}`;
  const at = { bucket, key } as const;
  const created = send({ operation: 'CreateMultipartUpload', method: 'POST', ...at, query: { uploads: '' } });
  const uploadId = /<UploadId>([^<]*)</.exec(String(created.body))?.[1] ?? '';
  if (!checkServed(created, { 'the upload is begun': () => uploadId !== '' })) return;
  const etags: string[] = [];
  for (const [index, body] of parts.entries()) {
    const query = { partNumber: String(index + 1), uploadId };
    const part = send({ operation: 'UploadPart', method: 'PUT', ...at, query, body });
    if (!checkServed(part, { 'the part is taken': ({ status }) => status === 200 })) return;
    etags.push(part.headers['Etag'] ?? '');
  }
  const listed = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
  const done = send({ operation: 'CompleteMultipartUpload', method: 'POST', ...at, query: { uploadId }, body });
  // A completion that fails late is an error under the status 200.
  const isThere = checkServed(done, {
    'the upload is completed': ({ status, body }) =>
      status === 200 && String(body).includes('<CompleteMultipartUploadResult'),
  });
  if (!isThere) return;
  const range = `bytes=${EDGE_FIRST}-${EDGE_END - 1}`;
  checkServed(send({ ...getObject(bucket, key), headers: { range }, binary: true }), {
    'its parts are joined': ({ status, body }) => status === 206 && sha256Of(body) === edgeSha256,
  });
  checkServed(send({ ...getObject(bucket, key), binary: true }), {
    'the object is what was put': ({ status, body }) => status === 200 && sha256Of(body) === wholeSha256,
  });
  checkServed(send(deleteObject(bucket, key)), { 'it is deleted': ({ status }) => status === 204 });
}

function sha256Of(body: unknown): string {
  return body instanceof ArrayBuffer ? sha256(body, 'hex') : '';
}

/** Of the object, and of what is read across the end of its first part. */
function hashesOf(pieces: readonly ArrayBuffer[]) {
  const whole = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(new Uint8Array(piece), at);
    at += piece.byteLength;
  }
  return {
    wholeSha256: sha256(whole.buffer, 'hex'),
    edgeSha256: sha256(whole.slice(EDGE_FIRST, EDGE_END).buffer, 'hex'),
  };
}

export { teardown } from './lib/data.ts';
