import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSeal } from '../../../src/cache/seal.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ maxLength: 40 });

describe('a seal', () => {
  it('opens what was sealed with the same secret for the same purpose and place, elsewhere too', () => {
    fc.assert(
      fc.property(text, text, text, bytes, (secret, purpose, place, plain) => {
        const sealed = createSeal(secret, purpose).seal(plain, place);
        expect(createSeal(secret, purpose).open(sealed, place)).toEqual(Buffer.from(plain));
      }),
    );
  });

  it('opens nothing of another secret, purpose or place', () => {
    fc.assert(
      fc.property(text, text, bytes, fc.constantFrom(0, 1, 2), (one, other, plain, differs) => {
        fc.pre(one !== other);
        const given = [one, one, one] as [string, string, string];
        const sealed = createSeal(given[0], given[1]).seal(plain, given[2]);
        given[differs] = other;
        expect(createSeal(given[0], given[1]).open(sealed, given[2])).toBeUndefined();
      }),
    );
  });

  it('opens nothing that was changed in a bit or cut', () => {
    const seal = createSeal('secret', 'test');
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(7), (plain, position, bit) => {
        const sealed = seal.seal(plain, 'place');
        const at = position % sealed.length;
        expect(seal.open(sealed.subarray(0, at), 'place')).toBeUndefined();
        sealed[at]! ^= 1 << bit;
        expect(seal.open(sealed, 'place')).toBeUndefined();
      }),
    );
  });

  it('never gives the same bytes twice, and nothing of what is in them', () => {
    const seal = createSeal('secret', 'test');
    const plain = Buffer.from('a file set id that nobody may read');
    const sealed = Array.from({ length: 1_000 }, () => seal.seal(plain, 'place').toString('latin1'));
    expect(new Set(sealed).size).toBe(1_000);
    expect(sealed.filter((value) => value.includes('file set'))).toEqual([]);
  });

  it('opens no rubbish', () => {
    fc.assert(
      fc.property(bytes, (rubbish) => {
        expect(createSeal('secret', 'test').open(rubbish, 'place')).toBeUndefined();
      }),
    );
  });
});

describe('a name', () => {
  it('is the same for the same text, and another for another text, secret or purpose', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        fc.pre(one !== other);
        const name = createSeal('secret', 'test').name(one);
        expect(name).toMatch(/^[\w-]{32}$/);
        expect(createSeal('secret', 'test').name(one)).toBe(name);
        const others = [createSeal('secret', 'test').name(other), createSeal(one, other).name(one)];
        expect(others).not.toContain(name);
      }),
    );
  });
});
