import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { errorAnswer, xmlAnswer } from '../../../src/s3/answer.ts';
import { S3Error } from '../../../src/s3/errors.ts';
import { keepAlive } from '../../../src/s3/keep-alive.ts';
import { xmlElement } from '../../../src/s3/wire/xml.ts';
import { parseXml } from '../../../src/s3/wire/xml-read.ts';

const done = () => xmlAnswer('Done', [xmlElement('ETag', 'x')]);
const told = () => errorAnswer(new S3Error('SlowDown'), 'POST', '/b/k', 'id');

async function bodyOf(answer: Awaited<ReturnType<typeof keepAlive>>): Promise<string> {
  if (answer.body.kind !== 'stream') throw new Error(`the body is ${answer.body.kind}`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('an answer that may last', () => {
  it('is itself when it is there in time', async () => {
    expect(await keepAlive(Promise.resolve(done()), told, 1_000)).toEqual(done());
    await expect(keepAlive(Promise.reject(new S3Error('InvalidPart')), told, 1_000)).rejects.toThrow(S3Error);
  });

  it('begins with white space when it is late', async () => {
    const answer = await keepAlive(sleep(100).then(done), told, 10);
    expect(answer).toMatchObject({ status: 200, headers: [['Content-Type', 'application/xml']] });
    const text = await bodyOf(answer);
    expect(text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n {2,}<Done/);
    expect(parseXml(Buffer.from(text))).toMatchObject({ name: 'Done' });
  });

  it('may be an error, though its status says otherwise', async () => {
    const answer = await keepAlive(
      sleep(30).then(() => Promise.reject(new Error('lost'))),
      told,
      10,
    );
    const document = parseXml(Buffer.from(await bodyOf(answer)));
    expect(document).toMatchObject({ name: 'Error' });
    expect(document.children[0]).toMatchObject({ name: 'Code', text: 'SlowDown' });
  });
});
