import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModifyFileRequest } from '../../../../../proto/gen/pfs/pfs.ts';
import { addFileMessage } from '../../../src/pachd/content-message.ts';

describe('the message that adds content', () => {
  it('is the one that the generated code writes', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), chunks, (path, content) => {
        const value = Buffer.concat(content);
        const generated = ModifyFileRequest.encode({
          body: { $case: 'addFile', value: { path, datum: '', source: { $case: 'raw', value } } },
        }).finish();
        const decoded = ModifyFileRequest.decode(new Uint8Array(addFileMessage(path, content, value.length)));
        expect(decoded).toEqual(ModifyFileRequest.decode(generated));
      }),
    );
  });

  it.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])('carries %i bytes', (length) => {
    const bytes = new Uint8Array(length).fill(7);
    const decoded = ModifyFileRequest.decode(addFileMessage('/content', [bytes], length));
    expect(decoded.body).toMatchObject({ $case: 'addFile', value: { path: '/content', source: { $case: 'raw' } } });
    const source = decoded.body?.$case === 'addFile' ? decoded.body.value.source : undefined;
    expect(source?.$case === 'raw' && Buffer.compare(source.value ?? new Uint8Array(0), bytes)).toBe(0);
  });

  it('refuses chunks that do not have the bytes they say', () => {
    expect(() => addFileMessage('/content', [new Uint8Array(3)], 4)).toThrowError(RangeError);
  });
});
