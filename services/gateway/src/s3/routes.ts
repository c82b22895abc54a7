import { S3Error } from './errors.ts';
import type { Operation } from './operation.ts';
import { abortMultipartUpload } from './ops/abort-multipart-upload.ts';
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from './ops/acl.ts';
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from './ops/bucket-tagging.ts';
import { completeMultipartUpload } from './ops/complete-multipart-upload.ts';
import { copyObject } from './ops/copy-object.ts';
import { createBucket } from './ops/create-bucket.ts';
import { createMultipartUpload } from './ops/create-multipart-upload.ts';
import { deleteBucket } from './ops/delete-bucket.ts';
import { deleteObject } from './ops/delete-object.ts';
import { deleteObjects } from './ops/delete-objects.ts';
import { getBucketLocation } from './ops/get-bucket-location.ts';
import { getBucketVersioning } from './ops/get-bucket-versioning.ts';
import { getObject, headObject } from './ops/get-object.ts';
import { getObjectAttributes } from './ops/get-object-attributes.ts';
import { headBucket } from './ops/head-bucket.ts';
import { listBuckets } from './ops/list-buckets.ts';
import { listMultipartUploads } from './ops/list-multipart-uploads.ts';
import { listObjectVersions } from './ops/list-object-versions.ts';
import { listObjects } from './ops/list-objects.ts';
import { listObjectsV2 } from './ops/list-objects-v2.ts';
import { listParts } from './ops/list-parts.ts';
import {
  getObjectLegalHold,
  getObjectRetention,
  putObjectLegalHold,
  putObjectLock,
  putObjectRetention,
} from './ops/object-lock.ts';
import { postObject } from './ops/post-object.ts';
import { deletePublicAccessBlock, getPublicAccessBlock, putPublicAccessBlock } from './ops/public-access-block.ts';
import { putBucketVersioning } from './ops/put-bucket-versioning.ts';
import { putObject } from './ops/put-object.ts';
import * as settled from './ops/settled.ts';
import { putBucketLifecycle, putBucketPolicy, putObjectTagging } from './ops/unkept.ts';
import * as unset from './ops/unset.ts';
import { uploadPart } from './ops/upload-part.ts';
import { uploadPartCopy } from './ops/upload-part-copy.ts';
import type { S3Request } from './request.ts';

/** One line of the table: the first that fits a request names its operation. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly scope: 'service' | 'bucket' | 'object';
  /** Query parameters that must all be there, with this value after an equals sign. */
  readonly query?: readonly string[];
  /** A header that must be there. */
  readonly header?: string;
  /** An operation, or the name of one that S3 has and tusk has not. */
  readonly operation: Operation | string;
}

export const ROUTES: readonly Route[] = [
  { method: 'GET', scope: 'service', operation: listBuckets },
  { method: 'HEAD', scope: 'service', operation: listBuckets },

  // The sub-resources of a bucket.
  { method: 'GET', scope: 'bucket', query: ['location'], operation: getBucketLocation },
  { method: 'GET', scope: 'bucket', query: ['versioning'], operation: getBucketVersioning },
  { method: 'PUT', scope: 'bucket', query: ['versioning'], operation: putBucketVersioning },
  { method: 'GET', scope: 'bucket', query: ['uploads'], operation: listMultipartUploads },
  { method: 'POST', scope: 'bucket', query: ['delete'], operation: deleteObjects },
  { method: 'GET', scope: 'bucket', query: ['accelerate'], operation: unset.getBucketAccelerate },
  { method: 'PUT', scope: 'bucket', query: ['accelerate'], operation: settled.putBucketAccelerate },
  { method: 'GET', scope: 'bucket', query: ['acl'], operation: getBucketAcl },
  { method: 'PUT', scope: 'bucket', query: ['acl'], operation: putBucketAcl },
  { method: 'GET', scope: 'bucket', query: ['analytics'], operation: unset.getBucketAnalytics },
  { method: 'PUT', scope: 'bucket', query: ['analytics'], operation: 'PutBucketAnalyticsConfiguration' },
  { method: 'DELETE', scope: 'bucket', query: ['analytics'], operation: 'DeleteBucketAnalyticsConfiguration' },
  { method: 'GET', scope: 'bucket', query: ['cors'], operation: unset.getBucketCors },
  { method: 'PUT', scope: 'bucket', query: ['cors'], operation: 'PutBucketCors' },
  { method: 'DELETE', scope: 'bucket', query: ['cors'], operation: unset.deleteBucketCors },
  { method: 'GET', scope: 'bucket', query: ['encryption'], operation: unset.getBucketEncryption },
  { method: 'PUT', scope: 'bucket', query: ['encryption'], operation: 'PutBucketEncryption' },
  { method: 'DELETE', scope: 'bucket', query: ['encryption'], operation: unset.deleteBucketEncryption },
  {
    method: 'GET',
    scope: 'bucket',
    query: ['intelligent-tiering'],
    operation: unset.getBucketIntelligentTiering,
  },
  {
    method: 'PUT',
    scope: 'bucket',
    query: ['intelligent-tiering'],
    operation: 'PutBucketIntelligentTieringConfiguration',
  },
  {
    method: 'DELETE',
    scope: 'bucket',
    query: ['intelligent-tiering'],
    operation: 'DeleteBucketIntelligentTieringConfiguration',
  },
  { method: 'GET', scope: 'bucket', query: ['inventory'], operation: unset.getBucketInventory },
  { method: 'PUT', scope: 'bucket', query: ['inventory'], operation: 'PutBucketInventoryConfiguration' },
  { method: 'DELETE', scope: 'bucket', query: ['inventory'], operation: 'DeleteBucketInventoryConfiguration' },
  { method: 'GET', scope: 'bucket', query: ['lifecycle'], operation: unset.getBucketLifecycle },
  { method: 'PUT', scope: 'bucket', query: ['lifecycle'], operation: putBucketLifecycle },
  { method: 'DELETE', scope: 'bucket', query: ['lifecycle'], operation: unset.deleteBucketLifecycle },
  { method: 'GET', scope: 'bucket', query: ['logging'], operation: unset.getBucketLogging },
  { method: 'PUT', scope: 'bucket', query: ['logging'], operation: settled.putBucketLogging },
  { method: 'GET', scope: 'bucket', query: ['metadataConfiguration'], operation: 'GetBucketMetadataConfiguration' },
  { method: 'POST', scope: 'bucket', query: ['metadataConfiguration'], operation: 'CreateBucketMetadataConfiguration' },
  {
    method: 'DELETE',
    scope: 'bucket',
    query: ['metadataConfiguration'],
    operation: 'DeleteBucketMetadataConfiguration',
  },
  { method: 'GET', scope: 'bucket', query: ['metadataTable'], operation: 'GetBucketMetadataTableConfiguration' },
  { method: 'POST', scope: 'bucket', query: ['metadataTable'], operation: 'CreateBucketMetadataTableConfiguration' },
  { method: 'DELETE', scope: 'bucket', query: ['metadataTable'], operation: 'DeleteBucketMetadataTableConfiguration' },
  { method: 'GET', scope: 'bucket', query: ['metrics'], operation: unset.getBucketMetrics },
  { method: 'PUT', scope: 'bucket', query: ['metrics'], operation: 'PutBucketMetricsConfiguration' },
  { method: 'DELETE', scope: 'bucket', query: ['metrics'], operation: 'DeleteBucketMetricsConfiguration' },
  { method: 'GET', scope: 'bucket', query: ['notification'], operation: unset.getBucketNotification },
  { method: 'PUT', scope: 'bucket', query: ['notification'], operation: settled.putBucketNotification },
  { method: 'GET', scope: 'bucket', query: ['object-lock'], operation: unset.getObjectLock },
  { method: 'PUT', scope: 'bucket', query: ['object-lock'], operation: putObjectLock },
  { method: 'GET', scope: 'bucket', query: ['ownershipControls'], operation: unset.getBucketOwnership },
  { method: 'PUT', scope: 'bucket', query: ['ownershipControls'], operation: settled.putBucketOwnership },
  { method: 'DELETE', scope: 'bucket', query: ['ownershipControls'], operation: 'DeleteBucketOwnershipControls' },
  { method: 'GET', scope: 'bucket', query: ['policy'], operation: unset.getBucketPolicy },
  { method: 'PUT', scope: 'bucket', query: ['policy'], operation: putBucketPolicy },
  { method: 'DELETE', scope: 'bucket', query: ['policy'], operation: unset.deleteBucketPolicy },
  { method: 'GET', scope: 'bucket', query: ['policyStatus'], operation: unset.getBucketPolicyStatus },
  { method: 'GET', scope: 'bucket', query: ['publicAccessBlock'], operation: getPublicAccessBlock },
  { method: 'PUT', scope: 'bucket', query: ['publicAccessBlock'], operation: putPublicAccessBlock },
  { method: 'DELETE', scope: 'bucket', query: ['publicAccessBlock'], operation: deletePublicAccessBlock },
  { method: 'GET', scope: 'bucket', query: ['replication'], operation: unset.getBucketReplication },
  { method: 'PUT', scope: 'bucket', query: ['replication'], operation: 'PutBucketReplication' },
  { method: 'DELETE', scope: 'bucket', query: ['replication'], operation: unset.deleteBucketReplication },
  { method: 'GET', scope: 'bucket', query: ['requestPayment'], operation: unset.getBucketRequestPayment },
  { method: 'PUT', scope: 'bucket', query: ['requestPayment'], operation: settled.putBucketRequestPayment },
  { method: 'GET', scope: 'bucket', query: ['session'], operation: 'CreateSession' },
  { method: 'GET', scope: 'bucket', query: ['tagging'], operation: getBucketTagging },
  { method: 'PUT', scope: 'bucket', query: ['tagging'], operation: putBucketTagging },
  { method: 'DELETE', scope: 'bucket', query: ['tagging'], operation: deleteBucketTagging },
  { method: 'GET', scope: 'bucket', query: ['versions'], operation: listObjectVersions },
  { method: 'GET', scope: 'bucket', query: ['website'], operation: unset.getBucketWebsite },
  { method: 'PUT', scope: 'bucket', query: ['website'], operation: 'PutBucketWebsite' },
  { method: 'DELETE', scope: 'bucket', query: ['website'], operation: unset.deleteBucketWebsite },

  { method: 'GET', scope: 'bucket', query: ['list-type=2'], operation: listObjectsV2 },
  { method: 'GET', scope: 'bucket', operation: listObjects },
  { method: 'HEAD', scope: 'bucket', operation: headBucket },
  { method: 'PUT', scope: 'bucket', operation: createBucket },
  { method: 'DELETE', scope: 'bucket', operation: deleteBucket },
  { method: 'POST', scope: 'bucket', operation: postObject },

  // The sub-resources of an object.
  { method: 'POST', scope: 'object', query: ['uploads'], operation: createMultipartUpload },
  { method: 'GET', scope: 'object', query: ['uploadId'], operation: listParts },
  { method: 'PUT', scope: 'object', query: ['uploadId'], header: 'x-amz-copy-source', operation: uploadPartCopy },
  { method: 'PUT', scope: 'object', query: ['uploadId'], operation: uploadPart },
  { method: 'PUT', scope: 'object', query: ['partNumber'], operation: uploadPart },
  { method: 'POST', scope: 'object', query: ['uploadId'], operation: completeMultipartUpload },
  { method: 'DELETE', scope: 'object', query: ['uploadId'], operation: abortMultipartUpload },
  { method: 'GET', scope: 'object', query: ['acl'], operation: getObjectAcl },
  { method: 'PUT', scope: 'object', query: ['acl'], operation: putObjectAcl },
  { method: 'GET', scope: 'object', query: ['attributes'], operation: getObjectAttributes },
  { method: 'PUT', scope: 'object', query: ['encryption'], operation: 'UpdateObjectEncryption' },
  { method: 'GET', scope: 'object', query: ['legal-hold'], operation: getObjectLegalHold },
  { method: 'PUT', scope: 'object', query: ['legal-hold'], operation: putObjectLegalHold },
  { method: 'PUT', scope: 'object', query: ['renameObject'], operation: 'RenameObject' },
  { method: 'POST', scope: 'object', query: ['restore'], operation: 'RestoreObject' },
  { method: 'GET', scope: 'object', query: ['retention'], operation: getObjectRetention },
  { method: 'PUT', scope: 'object', query: ['retention'], operation: putObjectRetention },
  { method: 'POST', scope: 'object', query: ['select'], operation: 'SelectObjectContent' },
  { method: 'GET', scope: 'object', query: ['tagging'], operation: unset.getObjectTagging },
  { method: 'PUT', scope: 'object', query: ['tagging'], operation: putObjectTagging },
  { method: 'DELETE', scope: 'object', query: ['tagging'], operation: unset.deleteObjectTagging },
  { method: 'GET', scope: 'object', query: ['torrent'], operation: 'GetObjectTorrent' },
  { method: 'DELETE', scope: 'object', query: ['versionId'], operation: 'DeleteObject of a version' },

  { method: 'PUT', scope: 'object', header: 'x-amz-copy-source', operation: copyObject },
  { method: 'PUT', scope: 'object', operation: putObject },
  { method: 'GET', scope: 'object', operation: getObject },
  { method: 'HEAD', scope: 'object', operation: headObject },
  { method: 'DELETE', scope: 'object', operation: deleteObject },
];

/** The lines that a request has to be held against, by scope and method, still in their order. */
const CANDIDATES = new Map<string, Map<string, Route[]>>();
for (const route of ROUTES) {
  const methods = CANDIDATES.get(route.scope) ?? new Map<string, Route[]>();
  CANDIDATES.set(route.scope, methods);
  methods.set(route.method, [...(methods.get(route.method) ?? []), route]);
}

/** Whatever the method: with one of these a request is never taken for the one without it. */
const SUB_RESOURCES = new Set(ROUTES.flatMap(({ query }) => query ?? []).filter((name) => /^[a-zA-Z-]+$/.test(name)));

/** Parameters that go with any request and change nothing of what it is. */
const HARMLESS =
  /^(?:x-|response-|(?:prefix|delimiter|marker|max-keys|encoding-type|list-type|continuation-token|start-after|fetch-owner|max-uploads|key-marker|upload-id-marker|version-id-marker|max-parts|part-number-marker|partNumber|versionId|max-buckets|bucket-region|id|AWSAccessKeyId|Expires|Signature)$)/i;

/**
 * The operation that a request asks for.
 * @throws S3Error NotImplemented for what S3 has and tusk has not, and for a sub-resource that nobody knows: what it meant is not
 *   known, so it must not be taken for the plain request; MethodNotAllowed
 */
export function routeOf({ http, query, target }: S3Request): Operation {
  const route = CANDIDATES.get(target.scope)
    ?.get(http.method)
    ?.find(
      ({ query: asked, header }) =>
        (asked === undefined || (query.entries.length > 0 && asked.every((parameter) => holds(query, parameter)))) &&
        (header === undefined || http.headers.get(header) !== undefined),
    );
  if (query.entries.length > 0) refuseStrange(query, route);
  if (route === undefined) throw methodNotAllowed(target.scope);
  if (typeof route.operation === 'string')
    throw new S3Error('NotImplemented', { elements: [['Operation', route.operation]] });
  return route.operation;
}

/** @throws S3Error NotImplemented */
function refuseStrange({ entries }: S3Request['query'], route: Route | undefined): void {
  const asked = new Set(route?.query?.map(nameOf));
  const strange = entries.find(
    ([name, value]) => !asked.has(name) && !HARMLESS.test(name) && (SUB_RESOURCES.has(name) || value === ''),
  );
  if (strange !== undefined) throw new S3Error('NotImplemented', { elements: [['SubResource', strange[0]]] });
}

function methodNotAllowed(scope: Route['scope']): S3Error {
  const methods = ROUTES.filter((route) => route.scope === scope && route.query === undefined).map(
    ({ method }) => method,
  );
  return new S3Error('MethodNotAllowed', { headers: [['Allow', [...new Set(methods)].join(', ')]] });
}

function holds(query: S3Request['query'], parameter: string): boolean {
  const equals = parameter.indexOf('=');
  return equals === -1 ? query.has(parameter) : query.get(parameter.slice(0, equals)) === parameter.slice(equals + 1);
}

function nameOf(parameter: string): string {
  return parameter.split('=', 1)[0] ?? parameter;
}
