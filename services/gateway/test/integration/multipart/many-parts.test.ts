// An upload of many parts. That of as many as there can be is in many-parts.nightly.test.ts.
import { it } from 'vitest';
import { expectManyParts } from './many-parts.ts';

it('an upload of 500 parts is one commit and moves no bytes', () => expectManyParts(500));
