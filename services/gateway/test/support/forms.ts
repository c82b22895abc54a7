import { createHmac } from 'node:crypto';

/** The fields of a signed form. Source: S3 API reference, "Browser-based uploads using POST (AWS Signature Version 4)". */
export function signedForm(
  token: string,
  fields: Readonly<Record<string, string>>,
  conditions: readonly unknown[],
  expiresMs = 60_000,
): Readonly<Record<string, string>> {
  const amzDate = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const day = amzDate.slice(0, 8);
  const signing = {
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `${token}/${day}/us-east-1/s3/aws4_request`,
    'x-amz-date': amzDate,
  };
  const named = Object.entries(signing).map(([name, value]) => ({ [name]: value }));
  const expiration = new Date(Date.now() + expiresMs).toISOString();
  const policy = Buffer.from(JSON.stringify({ expiration, conditions: [...named, ...conditions] })).toString('base64');
  const key = ['us-east-1', 's3', 'aws4_request'].reduce(
    (secret, text) => createHmac('sha256', secret).update(text).digest(),
    createHmac('sha256', `AWS4${token}`).update(day).digest(),
  );
  return { ...fields, ...signing, policy, 'x-amz-signature': createHmac('sha256', key).update(policy).digest('hex') };
}
