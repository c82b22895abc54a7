import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BytesValue } from '../../../../../proto/gen/google/protobuf/wrappers.ts';
import { createContentDecoder } from '../../../src/pachd/content-decoder.ts';

function framed(value: Uint8Array): Buffer {
  const message = BytesValue.encode({ value }).finish();
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

function decoded(pieces: readonly Buffer[]): Buffer {
  const decode = createContentDecoder();
  return Buffer.concat(pieces.flatMap((piece) => [...decode(piece)]));
}

describe('the bytes of a content stream', () => {
  it('are those of its messages, however they are cut on their way', () => {
    const values = fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 6 });
    const cuts = fc.array(fc.nat(60_000), { maxLength: 30 });
    fc.assert(
      fc.property(values, cuts, (messages, at) => {
        const wire = Buffer.concat(messages.map(framed));
        const ends = [...at.filter((end) => end < wire.length).sort((a, b) => a - b), wire.length];
        const pieces = ends.map((end, index) => wire.subarray(index === 0 ? 0 : ends[index - 1], end));
        expect(decoded(pieces).equals(Buffer.concat(messages))).toBe(true);
      }),
    );
  });

  it('come one by one as well', () => {
    const wire = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.alloc(0)), framed(Buffer.alloc(300, 'x'))]);
    const pieces = [...wire].map((byte) => Buffer.from([byte]));
    expect(decoded(pieces).toString()).toBe(`one${'x'.repeat(300)}`);
  });

  it('are passed on before the message is whole', () => {
    const decode = createContentDecoder();
    const wire = framed(Buffer.alloc(1_000_000, 'x'));
    expect(Buffer.concat([...decode(wire.subarray(0, 1_000))])).toHaveLength(1_000 - 5 - 4);
  });

  it.each([
    ['a compressed message', [1, 0, 0, 0, 3, 0x0a, 1, 0x78]],
    ['another field', [0, 0, 0, 0, 3, 0x12, 1, 0x78]],
    ['a length that does not fit', [0, 0, 0, 0, 3, 0x0a, 2, 0x78]],
    ['a length without an end', [0, 0, 0, 0, 9, 0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0]],
    ['a message of 4 GiB', [0, 0xff, 0xff, 0xff, 0xff]],
  ])('are refused in %s', (_, bytes) => {
    expect(() => decoded([Buffer.from(bytes)])).toThrowError();
  });
});
