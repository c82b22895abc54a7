import { it } from 'vitest';
import { cutConnections } from './cut-connections.ts';

it(
  '30,000 clients that cut their connections at any moment leave nothing behind',
  () => cutConnections(30_000),
  600_000,
);
