import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { readForm } from '../../../src/s3/wire/form-data.ts';

const TYPE = 'multipart/form-data; boundary=XX';

const part = (name: string, value: string, more = '') =>
  `--XX\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string | Buffer, size = 7, type: string | undefined = TYPE) {
  const form = await readForm(pieces(Buffer.from(text as string), size), type);
  const chunks: Uint8Array[] = [];
  for await (const chunk of form.file) chunks.push(chunk);
  return { fields: Object.fromEntries(form.fields), filename: form.filename, file: Buffer.concat(chunks).toString() };
}

const refused = (text: string, type?: string): Promise<string> =>
  read(text, 7, type).then(
    () => 'read',
    (error: unknown) => {
      if (error instanceof S3Error) return error.code;
      throw error;
    },
  );

describe('a form', () => {
  it('is its fields, by name in lower case, and its file', async () => {
    const text = `${part('Key', 'a/b')}${part('x-amz-meta-ü', 'grüße')}${part('file', 'the\r\ncontent', '; filename="C:\\\\x\\\\b.txt"')}--XX--\r\n`;
    expect(await read(text)).toEqual({
      fields: { key: 'a/b', 'x-amz-meta-ü': 'grüße' },
      filename: 'b.txt',
      file: 'the\r\ncontent',
    });
  });

  it('may begin with text that belongs to nobody, and end with fields that nobody looks at', async () => {
    const text = `hello\r\n${part('key', 'k')}${part('file', 'x')}${part('late', 'y')}--XX--`;
    expect(await read(text)).toMatchObject({ fields: { key: 'k' }, file: 'x' });
  });

  it.each([
    'multipart/form-data; boundary="XX"',
    'multipart/form-data;charset=utf-8; boundary=XX',
    'Multipart/Form-Data; Boundary=XX; x=y',
  ])('is told by %s', async (type) => {
    expect(await read(`${part('file', 'x')}--XX--`, 7, type)).toMatchObject({ file: 'x' });
  });

  it('comes whole, however it was cut, with the boundary half written in its file', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('\r\n--X', '\r\n', '-', 'XX', 'a', '\r'), { maxLength: 12 }),
        fc.integer({ min: 1, max: 40 }),
        async (words, size) => {
          const file = words.join('');
          fc.pre(!file.includes('\r\n--XX'));
          const text = `${part('key', 'k')}${part('file', file, '; filename=f')}--XX--\r\n`;
          expect(await read(text, size)).toEqual({ fields: { key: 'k' }, filename: 'f', file });
        },
      ),
    );
  });

  it('with a long rest behind its file is refused', async () => {
    expect(await refused(`${part('file', 'x')}${part('late', 'y'.repeat(30_000))}--XX--`)).toBe('MalformedPOSTRequest');
  });

  it.each([
    ['', TYPE, 'MalformedPOSTRequest'],
    ['no boundary at all', TYPE, 'MalformedPOSTRequest'],
    [`${part('key', 'k')}--XX--`, TYPE, 'InvalidArgument'],
    [`${part('key', 'k')}${part('KEY', 'l')}${part('file', 'x')}--XX--`, TYPE, 'InvalidArgument'],
    ['--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--', TYPE, 'MalformedPOSTRequest'],
    ['--XX\r\nContent-Disposition: form-data; name="file"\r\n\rx\r\n\r\nx\r\n--XX--', TYPE, 'MalformedPOSTRequest'],
    ['--XXnonsense\r\n\r\n\r\nx\r\n--XX--', TYPE, 'MalformedPOSTRequest'],
    [part('key', 'x'.repeat(21_000)), TYPE, 'MaxPostPreDataLengthExceeded'],
    ['x'.repeat(30_000), TYPE, 'MaxPostPreDataLengthExceeded'],
    ['--XX\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf of it', TYPE, 'IncompleteBody'],
    [part('file', 'x'), 'application/octet-stream', 'PreconditionFailed'],
    [part('file', 'x'), 'multipart/form-data', 'PreconditionFailed'],
  ])('is refused: %#', async (text, type, code) => {
    expect(await refused(text, type)).toBe(code);
  });

  it('with a field that is no UTF-8 is refused', async () => {
    const bytes = Buffer.from(part('key', '?'), 'latin1');
    bytes[bytes.indexOf('?')] = 0xff;
    await expect(read(bytes)).rejects.toMatchObject({ code: 'MalformedPOSTRequest' });
  });
});
