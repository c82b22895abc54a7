import { describe } from 'vitest';
import { SHELL_CLIENTS } from './shell-clients.ts';
import { itWorksAs } from './suite.ts';

for (const client of SHELL_CLIENTS.filter(({ nightly }) => nightly)) describe(client.name, () => itWorksAs(client));

// Over TLS most do not sign bodies, and the newer ones send their checksums behind them.
for (const client of SHELL_CLIENTS.filter(({ trusts }) => trusts !== undefined))
  describe(`${client.name} over TLS`, () => itWorksAs(client, 'https'));
