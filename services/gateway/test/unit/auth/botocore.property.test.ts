import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseCredential } from '../../../src/s3/auth/credential.ts';
import { verifySigV2 } from '../../../src/s3/auth/sigv2.ts';
import { verifySigV4 } from '../../../src/s3/auth/sigv4.ts';
import { pythonProgram, runCommand } from '../../support/clients.ts';
import { headersOf, type SignedParts } from './requests.ts';

const TOKEN = 'a-token/with+signs';
const COUNT = 2_000;

interface Line extends Omit<SignedParts, 'headers'> {
  readonly kind: string;
  readonly headers: readonly (readonly [string, string])[];
}

function verifies(request: SignedParts, secretKey: string): boolean {
  const credential = parseCredential(request, Date.now());
  if (credential.kind === 'anonymous') throw new Error('the request is not signed');
  expect(credential.accessKey).toBe(TOKEN);
  return credential.kind === 'sigv4'
    ? verifySigV4(credential, request, secretKey)
    : verifySigV2(credential, request, secretKey);
}

it(`what botocore signs verifies, in headers and in the query, by version 4 and 2 (${COUNT} requests)`, async () => {
  const script = fileURLToPath(new URL('./botocore_requests.py', import.meta.url));
  const env = { PYTHONDONTWRITEBYTECODE: '1' };
  const { code, stdout, stderr } = await runCommand(pythonProgram('python'), [script, String(COUNT)], { env });
  expect(code, stderr).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(COUNT);
  for (const line of lines) {
    const { headers, ...parts } = JSON.parse(line) as Line;
    const request = { ...parts, headers: headersOf(headers) };
    expect(verifies(request, TOKEN), line).toBe(true);
    expect(verifies(request, 'another'), line).toBe(false);
    expect(verifies({ ...request, rawPath: `${request.rawPath}x` }, TOKEN), line).toBe(false);
  }
});
