import { afterAll, beforeAll, describe } from 'vitest';
import { keyOf } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { itBehaves } from './python.ts';

describe.each([
  { title: 'auth off, unsigned', auth: false, key: undefined },
  { title: 'auth off, any key', auth: false, key: keyOf('any-key') },
  { title: 'auth on, the root token', auth: true, key: keyOf(ROOT_TOKEN) },
])('Python clients ($title)', ({ auth, key }) => {
  let tusk: Tusk;
  beforeAll(async () => {
    tusk = await startTusk({ auth });
  });
  afterAll(async () => {
    await tusk?.stop();
  });

  describe('boto3', () => itBehaves('boto3_client.py', { tusk: () => tusk, key }));
  describe('minio-py', () => itBehaves('minio_client.py', { tusk: () => tusk, key }));
  if (key !== undefined) describe('pachyderm_sdk', () => itBehaves('pachyderm_client.py', { tusk: () => tusk, key }));
});
