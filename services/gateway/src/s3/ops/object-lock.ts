import { S3Error, type S3ErrorCode } from '../errors.ts';
import { type Operation, operation } from '../operation.ts';

/** No bucket can be locked in, and S3 says so of each. */
const refused = (name: string, access: 'read' | 'write', code: S3ErrorCode, message: string): Operation =>
  operation<undefined, never>({
    name,
    differs: 'Refused, as of a bucket without object lock.',
    access,
    parse: () => undefined,
    run: () => Promise.reject(new S3Error(code, { message })),
    encode: (answer) => answer,
  });

const MISSING = 'Bucket is missing Object Lock Configuration';

export const putObjectLock = refused(
  'PutObjectLockConfiguration',
  'write',
  'InvalidBucketState',
  'Object Lock configuration cannot be enabled on existing buckets',
);
export const getObjectLegalHold = refused('GetObjectLegalHold', 'read', 'InvalidRequest', MISSING);
export const putObjectLegalHold = refused('PutObjectLegalHold', 'write', 'InvalidRequest', MISSING);
export const getObjectRetention = refused('GetObjectRetention', 'read', 'InvalidRequest', MISSING);
export const putObjectRetention = refused('PutObjectRetention', 'write', 'InvalidRequest', MISSING);
