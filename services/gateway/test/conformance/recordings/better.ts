import type { RecordedResponse } from './exchange.ts';

/** What is expected instead of a recorded fault, or of what follows from one. */
interface Better {
  readonly why: string;
  readonly response: RecordedResponse;
}

const XML = { 'content-type': 'application/xml' } as const;

function error(status: number, code: string, why: string): Better {
  const body = `<Error><Code>${code}</Code></Error>`;
  return { why, response: { status, headers: XML, body } };
}

function answer(status: number, why: string, headers: Readonly<Record<string, string>> = {}, body?: string): Better {
  return { why, response: { status, headers, ...(body === undefined ? {} : { body }) } };
}

function xml(why: string, body: string): Better {
  return answer(200, why, XML, body);
}

const HELLO = '"a670a7a2d03dc28a2b3dbb1ac749830aedea99b569177f02c3009ddfc6a058c5"';
const HELLO_AGAIN = '"2136b070b1474bba6acea95be9575298f8bf39c2eb6247b8bdd6f5333232741c"';

const listing = (...keys: readonly string[]): string =>
  keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('');
const prefixes = (...names: readonly string[]): string =>
  names.map((name) => `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`).join('');
const bucketList = (...names: readonly string[]): string =>
  `<ListAllMyBucketsResult><Buckets>${names.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join('')}</Buckets></ListAllMyBucketsResult>`;
const list = (...content: readonly string[]): string => `<ListBucketResult>${content.join('')}</ListBucketResult>`;

const DIRECTORY_KEYS = ['dir-x', 'dir.txt', 'dir/1.txt', 'dir/2.txt', 'dir/sub/3.txt', 'dir0'] as const;
const ALL_KEYS = ['a.txt', 'b.txt', ...DIRECTORY_KEYS, 'z/a b&amp;c&lt;d&gt;.txt', 'z/q\'".txt'] as const;

const REFUSED_COMMIT = 'a commit is for ever: nothing is created, written or deleted through its bucket';
const NO_FRAMING = 'the body is decoded, so the framing is not part of the object';
const NO_RIGHT = 'a lack of rights is told as such';
const SUBRESOURCE = 'a sub-resource is never taken for the plain request';
const UNSET = 'clients are told what S3 tells of a bucket that has none';
const PRIVATE =
  '<AccessControlPolicy><AccessControlList><Grant><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>';
const NOT_MADE = 'it was not completed, since its ETag was wrong';

/**
 * The faults of the embedded gateway (README.md names them) and their consequences in later exchanges: what is expected
 * instead. An exchange that is not here is to be as recorded.
 */
export const BETTER: Readonly<Record<string, Better>> = {
  // Buckets
  'bkt-versions': xml(
    'the newest versions are listed',
    '<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>',
  ),
  'bkt-create-no-project': error(404, 'NoSuchBucket', 'a missing project is no internal error'),
  'bkt-create-commit': error(405, 'MethodNotAllowed', REFUSED_COMMIT),
  'bkt-create-five-parts': error(400, 'InvalidBucketName', 'the name has a wrong shape'),
  'bkt-create-empty-repo': error(400, 'InvalidBucketName', 'the name has a wrong shape'),
  'bkt-delete-commit': error(405, 'MethodNotAllowed', REFUSED_COMMIT),

  // Writes
  'put-sha256-wrong': error(400, 'XAmzContentSHA256Mismatch', 'the body is compared with its hash'),
  'put-sha256-wrong-get': error(404, 'NoSuchKey', 'a body with another hash is not stored'),
  'put-crc32-wrong': error(400, 'BadDigest', 'the body is compared with its checksum'),
  'put-trailing-slash-list': xml('the mark of a folder is no object, which nothing could be below', list()),
  'put-double-slash': error(400, 'InvalidFilePath', 'a key is refused, never rewritten'),
  'put-dotdot': error(400, 'InvalidFilePath', 'a key is refused, never rewritten'),
  'put-newline': error(400, 'InvalidFilePath', 'PFS cannot hold the key'),
  'put-no-length': answer(200, 'chunked coding is accepted', { 'x-amz-version-id': '{{commit}}' }),
  'put-if-none-match': error(412, 'PreconditionFailed', 'the condition is judged'),
  'put-commit': error(405, 'MethodNotAllowed', REFUSED_COMMIT),
  'put-output': error(400, 'WriteToOutputBranch', 'only its pipeline writes to an output branch'),
  'sys-pipe-put': error(400, 'WriteToOutputBranch', 'only its pipeline writes to an output branch'),
  'sys-pipe-delete': error(400, 'WriteToOutputBranch', 'only its pipeline deletes an output branch'),
  'sys-pipe-list-objects': xml('nothing was written to the output branch', list()),

  // A file against a folder
  'col-below-file': error(409, 'ObjectNameConflict', 'found before it is written'),
  'col-below-file-list': xml('the bucket stays usable', list(listing('dir/inner.txt', 'other.txt', 'plain.txt'))),
  'col-over-dir': error(409, 'ObjectNameConflict', 'found before it is written'),
  'col-over-dir-list': xml(
    'the bucket stays usable',
    list(listing('dir/inner.txt', 'next.txt', 'other.txt', 'plain.txt')),
  ),

  // Reads
  'get-range-beyond': {
    why: 'errors are XML',
    response: { ...error(416, 'InvalidRange', '').response, headers: { ...XML, 'content-range': 'bytes */11' } },
  },
  'get-range-bad': answer(200, 'a bad Range is ignored', { 'content-length': '11', etag: HELLO_AGAIN }, 'hello again'),
  'get-inm-star': answer(304, 'If-None-Match: * holds for any object', { etag: HELLO_AGAIN }),
  'get-response-headers': answer(
    200,
    'the answer carries the headers that were asked for',
    { 'content-type': '=text/csv', 'content-disposition': 'attachment', 'content-length': '11' },
    'hello again',
  ),
  'get-commit-unknown': error(404, 'NoSuchBucket', 'an unknown commit is no internal error'),
  'get-commit-short': error(400, 'InvalidBucketName', 'what stands for the commit is none'),
  'get-version': answer(
    200,
    'the bytes of that very commit',
    { 'x-amz-version-id': '{{commit:1}}', etag: HELLO },
    'hello world',
  ),
  'get-version-unknown': error(404, 'NoSuchVersion', 'there is no such commit'),
  'head-version': answer(200, 'that very commit', {
    'x-amz-version-id': '{{commit:1}}',
    etag: HELLO,
    'content-length': '11',
  }),

  // Lists
  'lst-delim-other': xml(
    'any delimiter',
    list(
      listing('a.txt', 'b.txt', 'dir.txt', 'dir/1.txt', 'dir/2.txt', 'dir/sub/3.txt', 'dir0', ...ALL_KEYS.slice(-2)),
      prefixes('dir-'),
    ),
  ),
  'lst-max-5001': xml('max-keys is capped', list(listing(...ALL_KEYS), '<IsTruncated>false</IsTruncated>')),
  'lst-encoding': xml(
    'keys are encoded when asked for',
    list(listing('z/a+b%26c%3Cd%3E.txt', 'z/q%27%22.txt'), '<EncodingType>url</EncodingType><Prefix>z/</Prefix>'),
  ),
  'lst-v2': xml('version 2', list(listing(...ALL_KEYS), '<KeyCount>10</KeyCount><IsTruncated>false</IsTruncated>')),
  'lst-v2-max': xml(
    'version 2',
    list(
      listing(...ALL_KEYS.slice(0, 3)),
      '<KeyCount>3</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>{{any}}</NextContinuationToken>',
    ),
  ),
  'lst-v2-token': error(400, 'InvalidArgument', 'a key is no token of ours'),
  'lst-v2-start-after': xml(
    'start-after is kept',
    list(listing(...ALL_KEYS.slice(-2)), '<StartAfter>dir0</StartAfter>'),
  ),

  // Deletes and copies
  'del-commit': error(405, 'MethodNotAllowed', REFUSED_COMMIT),
  'cp-version-get': answer(
    200,
    'the bytes of that very commit',
    { etag: HELLO, 'content-length': '11' },
    'hello world',
  ),
  cp: {
    why: 'the new version, and an ETag in quotes',
    response: {
      status: 200,
      headers: { ...XML, 'x-amz-version-id': '{{commit}}' },
      body: `<CopyObjectResult><LastModified>{{date}}</LastModified><ETag>${HELLO_AGAIN}</ETag></CopyObjectResult>`,
    },
  },

  // Multipart uploads
  'mp-part-0': error(400, 'InvalidArgument', 'parts are numbered from 1'),
  'mp-list-parts': xml(
    'parts by number, with their sizes',
    `<ListPartsResult>${[
      [1, 5242880],
      [2, 13],
      [10, 8],
    ]
      .map(([number, size]) => `<Part><PartNumber>${number}</PartNumber><Size>${size}</Size></Part>`)
      .join('')}</ListPartsResult>`,
  ),
  'mp-list': xml(
    'the key as it is',
    '<ListMultipartUploadsResult><Upload><Key>big.bin</Key><UploadId>{{uploadId:1}}</UploadId></Upload></ListMultipartUploadsResult>',
  ),
  'mp-list-other-project': xml(
    'uploads belong to their bucket',
    '<ListMultipartUploadsResult></ListMultipartUploadsResult>',
  ),
  'mp-part-other-bucket': error(404, 'NoSuchUpload', 'uploads belong to their bucket'),
  'mp-complete': error(400, 'InvalidPart', "the ETags are compared, and part 2's is wrong"),
  'mp-get': error(404, 'NoSuchKey', NOT_MADE),
  'mp-get-range': error(404, 'NoSuchKey', NOT_MADE),
  'mp-complete-again': xml(
    'the first completion that is right',
    '<CompleteMultipartUploadResult><Bucket>master.images.rec-a</Bucket><Key>big.bin</Key></CompleteMultipartUploadResult>',
  ),
  'mp-list-after': xml(
    'an upload ends with its completion',
    '<ListMultipartUploadsResult></ListMultipartUploadsResult>',
  ),
  'mp-complete-etag': error(400, 'InvalidPart', 'the ETags are compared'),
  'mp-part-copy': xml(
    'the bytes are copied: the ETag is their MD5',
    '<CopyPartResult><LastModified>{{date}}</LastModified><ETag>"{{etag}}"</ETag></CopyPartResult>',
  ),
  'mp-abort-again': error(404, 'NoSuchUpload', 'an upload ends with its abortion'),
  'mp-abort-parts': error(404, 'NoSuchUpload', 'an upload ends with its abortion'),
  'mp-get-stream': error(404, 'NoSuchKey', NOT_MADE),
  'sys-list': xml(
    'the gateway keeps nothing in a repo of its own; no commit bucket was created, nor one that could be locked in',
    bucketList(
      'Main.New_Repo.rec-a',
      'dev.images.rec-a',
      'dev.newrepo.rec-a',
      'dev.rec-one.default',
      'loc.newrepo.rec-a',
      'm.z.rec-a',
      'master.collide.rec-a',
      'master.derived.rec-a',
      'master.images.rec-a',
      'master.images.rec-b',
      'master.last.rec-a',
      'master.listing.rec-a',
      'master.newrepo.rec-a',
      'master.rec-def.default',
      'master.rec-one.default',
      `master.${'r'.repeat(70)}.rec-a`,
      'v1.images.rec-a',
    ),
  ),

  // Sub-resources
  'svc-options': error(403, 'AccessForbidden', 'a preflight is answered as S3 answers it where no page may ask'),
  'sub-get-acl': xml(UNSET, PRIVATE),
  'sub-get-ownershipControls': xml(
    UNSET,
    '<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>',
  ),
  'sub-get-policy': error(404, 'NoSuchBucketPolicy', UNSET),
  'sub-get-replication': error(404, 'ReplicationConfigurationNotFoundError', UNSET),
  'sub-put-acl': error(400, 'AccessControlListNotSupported', UNSET),
  'sub-del-policy': answer(204, UNSET),
  'sub-obj-get-acl': xml(UNSET, PRIVATE),
  'sub-bkt-post': error(400, 'InvalidArgument', 'a POST is the upload of a form, and needs a file'),
  'sub-put-ownershipControls': error(400, 'MalformedXML', 'one that can be is taken, so this is told from it'),
  'sub-del-ownershipControls': error(501, 'NotImplemented', SUBRESOURCE),
  'sub-obj-put-tagging': error(400, 'MalformedXML', 'what is wrong with tags is said before they are refused'),
  'sub-del-after': answer(200, 'the bucket is still there'),
  'sub-obj-get-attributes': error(400, 'InvalidRequest', 'it must say which attributes it wants'),
  'sub-host-s3dash': answer(200, 'a host name that is not configured has no meaning', XML),

  // Signatures
  'na-presign-v4-bad': error(403, 'SignatureDoesNotMatch', 'a signature that is sent must be right'),
  'na-stream-bad': error(403, 'SignatureDoesNotMatch', 'a wrong chunk signature is no internal error'),
  'na-stream-trailer-get': answer(200, NO_FRAMING, { 'content-length': '11' }, 'hello world'),
  'na-stream-unsigned-get': answer(200, NO_FRAMING, { 'content-length': '11' }, 'hello world'),

  // Rights
  'au-bob-get': error(403, 'AccessDenied', NO_RIGHT),
  'au-carol-list': xml('a user sees what it may read', bucketList()),
  'au-carol-head-bucket': answer(403, NO_RIGHT, XML),
  'au-carol-list-objects': error(403, 'AccessDenied', NO_RIGHT),
  'au-carol-get': error(403, 'AccessDenied', NO_RIGHT),
  'au-carol-put': error(403, 'AccessDenied', NO_RIGHT),
  'au-carol-delete': error(403, 'AccessDenied', NO_RIGHT),
  'au-carol-put-reader': error(403, 'AccessDenied', NO_RIGHT),
  'au-carol-get-revoked': error(403, 'AccessDenied', NO_RIGHT),
  'au-mp-bob-init': answer(200, 'an upload needs the rights on its target, and nothing else', XML),
  'au-mp-complete': error(400, 'InvalidPart', 'the ETags are compared'),
  'au-mp-carol-first': error(403, 'AccessDenied', NO_RIGHT),
  'au-mp-alice-locked-out': answer(200, 'nobody can lock out others', XML),
  'au-v2-amz': answer(200, 'V2 signs the x-amz- headers', { 'x-amz-version-id': '{{commit}}' }),
  'au-presign-v4': answer(200, 'presigned requests are served', { 'content-length': '10' }, 'from alice'),
  'au-presign-v2': answer(200, 'presigned requests are served', { 'content-length': '10' }, 'from alice'),
  'au-sha256-wrong': error(400, 'XAmzContentSHA256Mismatch', 'the body is compared with its hash'),
  'au-sha256-wrong-get': error(404, 'NoSuchKey', 'a tampered body is not stored'),
  'au-stream-bad': error(403, 'SignatureDoesNotMatch', 'a wrong chunk signature is no internal error'),
  'au-stream-unsigned-get': answer(200, NO_FRAMING, { 'content-length': '11' }, 'hello world'),
  'au-header-spaces': answer(200, 'blanks in a row are folded, as V4 says', { 'x-amz-version-id': '{{commit}}' }),
  'au-v2-bad': error(403, 'SignatureDoesNotMatch', 'a wrong signature is told as such, whatever its version'),
  'au-double-slash': error(404, 'NoSuchKey', 'a key that PFS cannot hold is not there; nobody is sent elsewhere'),
};
