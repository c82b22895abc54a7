// The largest number of parts. Most of the time is devpachd's, which hashes the 52 GB of the object once.
import { it } from 'vitest';
import { expectManyParts } from './many-parts.ts';

const TEST_MAX_MS = 1_800_000;

it('an upload of 10,000 parts is one commit and moves no bytes', () => expectManyParts(10_000), TEST_MAX_MS);
