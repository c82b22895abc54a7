import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatContentRange,
  formatUnsatisfiedRange,
  parseCopySourceRange,
  parseRange,
} from '../../../src/s3/wire/range.ts';

const WHOLE = { kind: 'whole' };
const NOTHING = { kind: 'unsatisfiable' };
const part = (first: number, last: number) => ({ kind: 'part', first, last });

describe('a Range of an object of 11 bytes', () => {
  it.each([
    ['bytes=0-0', part(0, 0)],
    ['bytes=0-10', part(0, 10)],
    ['bytes=4-', part(4, 10)],
    ['bytes=4-500', part(4, 10)],
    ['bytes=-3', part(8, 10)],
    ['bytes=-500', part(0, 10)],
    ['bytes= 4 - 5 ', part(4, 5)],
    ['BYTES=4-5', part(4, 5)],
    ['bytes=0-99999999999999999999999999', part(0, 10)],
    ['bytes=,4-5,,', part(4, 5)],
    ['bytes=4-5,500-', part(4, 5)],
    ['bytes=11-', NOTHING],
    ['bytes=500-600', NOTHING],
    ['bytes=-0', NOTHING],
    ['bytes=99999999999999999999999999-', NOTHING],
    ['bytes=500-,600-', NOTHING],
    ['bytes=5-4', WHOLE],
    ['bytes=x-y', WHOLE],
    ['bytes=-', WHOLE],
    ['bytes=', WHOLE],
    ['bytes=,', WHOLE],
    ['bytes=--1', WHOLE],
    ['bytes=-5-6', WHOLE],
    ['bytes=1.0-2', WHOLE],
    ['bytes=0x1-2', WHOLE],
    ['bytes=+1-2', WHOLE],
    ['bytes 0-1', WHOLE],
    ['lines=0-1', WHOLE],
    ['0-1', WHOLE],
    ['', WHOLE],
    [undefined, WHOLE],
    ['bytes=0-1,x', WHOLE],
    [`bytes=${'0-0,'.repeat(33)}`, WHOLE],
    [`bytes=0-0${' '.repeat(3000)}`, WHOLE],
    ['bytes=0-9,0-9', WHOLE],
    [
      'bytes=0-1,4-5',
      {
        kind: 'parts',
        ranges: [
          { first: 0, last: 1 },
          { first: 4, last: 5 },
        ],
      },
    ],
    [
      'bytes=8-,-1,0-0',
      {
        kind: 'parts',
        ranges: [
          { first: 8, last: 10 },
          { first: 10, last: 10 },
          { first: 0, last: 0 },
        ],
      },
    ],
  ])('%s', (header, expected) => {
    expect(parseRange(header, 11)).toEqual(expected);
  });

  it('is unsatisfiable if the object is empty, except for the whole', () => {
    expect(parseRange('bytes=0-', 0)).toEqual(NOTHING);
    expect(parseRange('bytes=-1', 0)).toEqual(NOTHING);
    expect(parseRange('bytes=x', 0)).toEqual(WHOLE);
  });

  it('never leaves the object', () => {
    const number = fc.oneof(fc.constant(''), fc.nat({ max: 60 }).map(String), fc.bigInt({ min: 0n }).map(String));
    const spec = fc.tuple(number, number).map(([first, last]) => `${first}-${last}`);
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), fc.nat({ max: 50 }), (specs, sizeBytes) => {
        const selection = parseRange(`bytes=${specs.join(',')}`, sizeBytes);
        const ranges = selection.kind === 'part' ? [selection] : selection.kind === 'parts' ? selection.ranges : [];
        for (const { first, last } of ranges) {
          expect(first).toBeGreaterThanOrEqual(0);
          expect(last).toBeGreaterThanOrEqual(first);
          expect(last).toBeLessThan(sizeBytes);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is told to the client', () => {
    expect(formatContentRange({ first: 0, last: 1 }, 11)).toBe('bytes 0-1/11');
    expect(formatUnsatisfiedRange(11)).toBe('bytes */11');
  });
});

describe('an x-amz-copy-source-range', () => {
  it('has both its ends', () => {
    expect(parseCopySourceRange('bytes=0-10', 11)).toEqual({ first: 0, last: 10 });
  });

  it.each([
    ['bytes=0-', 'InvalidArgument'],
    ['bytes=-5', 'InvalidArgument'],
    ['bytes=5-4', 'InvalidArgument'],
    ['bytes=0-1,2-3', 'InvalidArgument'],
    ['0-1', 'InvalidArgument'],
    ['bytes=0-11', 'InvalidRange'],
    ['bytes=0-99999999999999999999', 'InvalidRange'],
  ])('%s is %s', (header, code) => {
    expect(() => parseCopySourceRange(header, 11)).toThrow(expect.objectContaining({ code }));
  });
});
