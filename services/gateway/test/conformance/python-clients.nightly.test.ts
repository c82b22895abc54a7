import { afterAll, beforeAll, describe } from 'vitest';
import { keyOf } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { itBehaves } from './python.ts';

describe('boto3 that sends checksums only where it must', () => {
  let tusk: Tusk;
  beforeAll(async () => {
    tusk = await startTusk({ auth: true });
  });
  afterAll(async () => {
    await tusk?.stop();
  });
  const env = { AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required', AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required' };
  itBehaves('boto3_client.py', { signed: true, gateway: () => ({ tusk, key: keyOf(ROOT_TOKEN) }), env });
});
