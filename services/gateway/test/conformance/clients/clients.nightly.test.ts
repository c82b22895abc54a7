import { describe } from 'vitest';
import { SHELL_CLIENTS } from './shell-clients.ts';
import { itWorksAs } from './suite.ts';

for (const client of SHELL_CLIENTS.filter(({ nightly }) => nightly)) describe(client.name, () => itWorksAs(client));
