import { afterAll, beforeAll, describe } from 'vitest';
import { keyOf } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { itBehaves } from './python.ts';

describe('clients of data frames', () => {
  let tusk: Tusk;
  beforeAll(async () => {
    tusk = await startTusk({ auth: true });
  });
  afterAll(async () => {
    await tusk?.stop();
  });
  itBehaves('data_clients.py', { signed: true, gateway: () => ({ tusk, key: keyOf(ROOT_TOKEN) }), venv: 'venv-data' });
});
