import { emptyAnswer, xmlAnswer } from '../answer.ts';
import { S3Error, type S3ErrorCode } from '../errors.ts';
import { type Operation, operation } from '../operation.ts';
import { parseNamed, statObject } from '../reading.ts';
import { type Xml, xmlElement } from '../wire/xml.ts';

const UNSET = 'As of a bucket that has none.';

/** What S3 answers for a bucket that was never given such a thing, which clients ask for at their start. */
const absent = (name: string, code: S3ErrorCode): Operation =>
  operation<undefined, never>({
    name,
    differs: UNSET,
    access: 'list',
    parse: () => undefined,
    run: () => Promise.reject(new S3Error(code)),
    encode: (answer) => answer,
  });

/** The same where S3 answers with a document that says as much. */
const empty = (name: string, root: string, children: readonly Xml[] = []): Operation =>
  operation({
    name,
    differs: UNSET,
    access: 'list',
    parse: () => undefined,
    run: async () => undefined,
    encode: () => xmlAnswer(root, children),
  });

/** Configurations by their ids: none is there, whichever is asked for. */
const noneOf = (name: string, root: string): Operation =>
  operation({
    name,
    differs: UNSET,
    access: 'list',
    parse: ({ query }) => {
      if (query.has('id')) throw new S3Error('NoSuchConfiguration');
    },
    run: async () => undefined,
    encode: () => xmlAnswer(root, [xmlElement('IsTruncated', false)]),
  });

/** Nothing is there to be deleted, which S3 takes for deleted. */
const deletes = (name: string): Operation =>
  operation({
    name,
    differs: UNSET,
    access: 'write',
    parse: () => undefined,
    run: async () => undefined,
    encode: () => emptyAnswer(204),
  });

export const getBucketAccelerate = empty('GetBucketAccelerateConfiguration', 'AccelerateConfiguration');
export const getBucketAnalytics = noneOf('GetBucketAnalyticsConfiguration', 'ListBucketAnalyticsConfigurationResult');
export const getBucketCors = absent('GetBucketCors', 'NoSuchCORSConfiguration');
export const getBucketEncryption = absent('GetBucketEncryption', 'ServerSideEncryptionConfigurationNotFoundError');
export const getBucketIntelligentTiering = noneOf(
  'GetBucketIntelligentTieringConfiguration',
  'ListBucketIntelligentTieringConfigurationsResult',
);
export const getBucketInventory = noneOf('GetBucketInventoryConfiguration', 'ListInventoryConfigurationsResult');
export const getBucketLifecycle = absent('GetBucketLifecycleConfiguration', 'NoSuchLifecycleConfiguration');
export const getBucketLogging = empty('GetBucketLogging', 'BucketLoggingStatus');
export const getBucketMetrics = noneOf('GetBucketMetricsConfiguration', 'ListMetricsConfigurationsResult');
export const getBucketNotification = empty('GetBucketNotificationConfiguration', 'NotificationConfiguration');
export const getBucketPolicy = absent('GetBucketPolicy', 'NoSuchBucketPolicy');
export const getBucketPolicyStatus = absent('GetBucketPolicyStatus', 'NoSuchBucketPolicy');
export const getBucketReplication = absent('GetBucketReplication', 'ReplicationConfigurationNotFoundError');
export const getBucketRequestPayment = empty('GetBucketRequestPayment', 'RequestPaymentConfiguration', [
  xmlElement('Payer', 'BucketOwner'),
]);
export const getBucketWebsite = absent('GetBucketWebsite', 'NoSuchWebsiteConfiguration');
export const getObjectLock = absent('GetObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError');
/** What a new bucket of S3 has: its owner owns all, and access lists mean nothing. */
export const getBucketOwnership = empty('GetBucketOwnershipControls', 'OwnershipControls', [
  xmlElement('Rule', [xmlElement('ObjectOwnership', 'BucketOwnerEnforced')]),
]);

export const deleteBucketCors = deletes('DeleteBucketCors');
export const deleteBucketEncryption = deletes('DeleteBucketEncryption');
export const deleteBucketLifecycle = deletes('DeleteBucketLifecycle');
export const deleteBucketPolicy = deletes('DeleteBucketPolicy');
export const deleteBucketReplication = deletes('DeleteBucketReplication');
export const deleteBucketWebsite = deletes('DeleteBucketWebsite');

export const getObjectTagging = operation({
  name: 'GetObjectTagging',
  differs: 'Always none: tags are accepted and not kept.',
  access: 'read',
  parse: parseNamed,
  run: statObject,
  encode: () => xmlAnswer('Tagging', [xmlElement('TagSet', [])]),
});

export const deleteObjectTagging = operation({
  name: 'DeleteObjectTagging',
  differs: 'There are none.',
  access: 'write',
  parse: parseNamed,
  run: statObject,
  encode: () => emptyAnswer(204),
});
