import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { isPublicPolicy } from '../../../src/s3/wire/bucket-policy.ts';

function outcome(document: unknown) {
  try {
    return isPublicPolicy(typeof document === 'string' ? document : JSON.stringify(document));
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

const ALLOW = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' };

describe('a policy of a bucket', () => {
  it.each([
    ['for everybody', { Statement: [ALLOW] }, true],
    ['of one statement', { Statement: ALLOW }, true],
    ['for every account', { Statement: [{ ...ALLOW, Principal: { AWS: ['a', '*'] } }] }, true],
    ['for an account', { Statement: [{ ...ALLOW, Principal: { AWS: 'a' } }] }, false],
    ['against everybody', { Statement: [{ ...ALLOW, Effect: 'Deny' }] }, false],
    ['under a condition', { Statement: [{ ...ALLOW, Condition: { Bool: {} } }] }, false],
    ['for everybody at last', { Statement: [{ ...ALLOW, Effect: 'Deny' }, ALLOW] }, true],
    ['without statements', { Statement: [] }, 'MalformedPolicy'],
    ['without a principal', { Statement: [{ ...ALLOW, Principal: undefined }] }, 'MalformedPolicy'],
    ['without an action', { Statement: [{ ...ALLOW, Action: undefined }] }, 'MalformedPolicy'],
    ['without a resource', { Statement: [{ ...ALLOW, Resource: undefined }] }, 'MalformedPolicy'],
    ['of another effect', { Statement: [{ ...ALLOW, Effect: 'allow' }] }, 'MalformedPolicy'],
    ['of an effect that is no text', { Statement: [{ ...ALLOW, Effect: { toString: 1 } }] }, 'MalformedPolicy'],
    ['of other statements', { Statement: ['*'] }, 'MalformedPolicy'],
    ['that is a list', [ALLOW], 'MalformedPolicy'],
    ['that is no JSON', '{', 'MalformedPolicy'],
    ['that is nothing', '', 'MalformedPolicy'],
  ])('%s', (_, document, expected) => {
    expect(outcome(document)).toBe(expected);
  });
});
