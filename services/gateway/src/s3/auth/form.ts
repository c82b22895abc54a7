import { createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from '../errors.ts';
import {
  type AnonymousCredential,
  parseAmzDate,
  parseScope,
  requireAlgorithm,
  type SigningScope,
} from './credential.ts';
import { signingKey } from './signing-key.ts';
import { isSignature } from './sigv4.ts';

/** The signature of a form, which is made over its policy document alone. */
export interface FormCredential {
  readonly kind: 'form';
  readonly accessKey: string;
  /** As sent, in base64. */
  readonly policy: string;
  readonly signature: string;
  /** Of version 4; undefined: version 2. */
  readonly scope: SigningScope | undefined;
}

/**
 * Who says to have signed a form. Sources: S3 API reference, "Authenticating requests: browser-based uploads using POST (AWS Signature
 * Version 4)"; S3 user guide, "Browser-based uploads using POST (AWS Signature Version 2)". Its age is bounded by the policy alone.
 * @throws S3Error InvalidArgument for a part of a signature without the rest, UnsupportedSignature
 */
export function parseFormCredential(
  fields: ReadonlyMap<string, string>,
  nowMs: number,
): FormCredential | AnonymousCredential {
  if (fields.has('x-amz-signature') || fields.has('x-amz-credential') || fields.has('x-amz-algorithm')) {
    return parseVersion4(fields, nowMs);
  }
  if (fields.has('awsaccesskeyid') || fields.has('signature') || fields.has('policy')) {
    const accessKey = required(fields, 'AWSAccessKeyId');
    const signature = required(fields, 'signature');
    return { kind: 'form', accessKey, policy: required(fields, 'policy'), signature, scope: undefined };
  }
  return { kind: 'anonymous' };
}

/** Whether the policy was signed with `secretKey`, compared in constant time. */
export function verifyForm({ scope, policy, signature }: FormCredential, secretKey: string): boolean {
  if (scope !== undefined) {
    return /^[0-9a-f]{64}$/.test(signature) && isSignature(signature, signingKey(secretKey, scope), policy);
  }
  const expected = createHmac('sha1', secretKey).update(policy).digest();
  const given = Buffer.from(signature, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** A form that was signed for a later day than today's is not valid yet. */
const AHEAD_MAX_MS = 15 * 60 * 1000;

function parseVersion4(fields: ReadonlyMap<string, string>, nowMs: number): FormCredential {
  requireAlgorithm(required(fields, 'X-Amz-Algorithm'), invalid);
  const { accessKey, scope } = parseScope(required(fields, 'X-Amz-Credential'), 'X-Amz-Credential', invalid);
  const amzDate = required(fields, 'X-Amz-Date');
  const timestampMs = parseAmzDate(amzDate);
  if (timestampMs === undefined) throw invalid(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  if (!amzDate.startsWith(scope.date)) throw invalid('X-Amz-Credential and X-Amz-Date are not of one day');
  if (timestampMs > nowMs + AHEAD_MAX_MS) throw new S3Error('AccessDenied', { message: 'Request is not yet valid' });
  const signature = required(fields, 'X-Amz-Signature');
  return { kind: 'form', accessKey, policy: required(fields, 'policy'), signature, scope };
}

function required(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name.toLowerCase());
  if (value === undefined || value === '') {
    throw new S3Error('InvalidArgument', {
      message: `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
      elements: [['ArgumentName', name]],
    });
  }
  return value;
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidArgument', { message });
}
