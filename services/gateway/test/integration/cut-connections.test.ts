import { it } from 'vitest';
import { cutConnections } from './cut-connections.ts';

it('clients that cut their connections at any moment leave nothing behind', () => cutConnections(2_000));
