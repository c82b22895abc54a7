import { afterAll, beforeAll, describe } from 'vitest';
import { type Key, keyOf } from '../support/signature.ts';
import { CERTIFICATE_FILE, SERVES_TLS } from '../support/tls.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { itBehaves } from './python.ts';

interface Case {
  readonly title: string;
  readonly auth: boolean;
  readonly signed: boolean;
  readonly keyFor: (tusk: Tusk) => Promise<Key> | Key | undefined;
}

const CASES: readonly Case[] = [
  { title: 'auth off, unsigned', auth: false, signed: false, keyFor: () => undefined },
  { title: 'auth off, any key', auth: false, signed: true, keyFor: () => keyOf('any-key') },
  { title: 'auth on, the root token', auth: true, signed: true, keyFor: () => keyOf(ROOT_TOKEN) },
  // Every user may make repos in project default, and owns what it made.
  {
    title: "auth on, a robot's token",
    auth: true,
    signed: true,
    keyFor: async (tusk) => keyOf(await tusk.pachd.robotToken('ci')),
  },
];

describe.each(CASES)('Python clients ($title)', ({ auth, signed, keyFor }) => {
  let tusk: Tusk;
  let key: Key | undefined;
  beforeAll(async () => {
    tusk = await startTusk({ auth });
    key = await keyFor(tusk);
  });
  afterAll(async () => {
    await tusk?.stop();
  });

  const setUp = { signed, gateway: () => ({ tusk, key }) };
  describe('boto3', () => itBehaves('boto3_client.py', setUp));
  describe('minio-py', () => itBehaves('minio_client.py', setUp));
  if (signed) describe('pachyderm_sdk', () => itBehaves('pachyderm_client.py', setUp));
});

// Over TLS the body is not signed, and its checksum comes behind it.
describe('boto3 over TLS', () => {
  let tusk: Tusk;
  beforeAll(async () => {
    tusk = await startTusk({ auth: true, env: SERVES_TLS });
  });
  afterAll(async () => {
    await tusk?.stop();
  });
  const env = { AWS_CA_BUNDLE: CERTIFICATE_FILE, SSL_CERT_FILE: CERTIFICATE_FILE };
  itBehaves('boto3_client.py', { signed: true, gateway: () => ({ tusk, key: keyOf(ROOT_TOKEN) }), env });
});
