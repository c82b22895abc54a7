import { createHash } from 'node:crypto';
import { type Answer, encode, type SendOptions, send } from './http.ts';

/** The smallest size of a part that is not the last one. */
export const PART_BYTES = 5 << 20;

export interface Named {
  readonly number: number;
  /** With its quotes. */
  readonly etag: string;
}

/** The calls of multipart uploads on one bucket, as their answers. */
export function uploadsOf(url: string, bucket: string) {
  const ask = (method: string, key: string, options: SendOptions = {}): Promise<Answer> =>
    send(url, method, `/${[bucket, ...(key === '' ? [] : key.split('/'))].map(encode).join('/')}`, options);
  const query = (...pairs: readonly (readonly [string, string])[]) => ({ query: pairs });

  return {
    ask,

    async create(key: string): Promise<string> {
      const answer = await ask('POST', key, query(['uploads', '']));
      if (answer.status !== 200) throw new Error(`CreateMultipartUpload ${key}: ${answer.status} ${answer.text}`);
      return element(answer.text, 'UploadId');
    },

    putPart: (key: string, uploadId: string, number: number, body: string | Uint8Array): Promise<Answer> =>
      ask('PUT', key, { ...query(['partNumber', String(number)], ['uploadId', uploadId]), body }),

    /** @returns how it is to be named in the completion */
    async part(key: string, uploadId: string, number: number, body: string | Uint8Array): Promise<Named> {
      const answer = await this.putPart(key, uploadId, number, body);
      if (answer.status !== 200) throw new Error(`UploadPart ${number}: ${answer.status} ${answer.text}`);
      return { number, etag: answer.headers['etag'] ?? '' };
    },

    complete(
      key: string,
      uploadId: string,
      parts: readonly Named[],
      headers: Readonly<Record<string, string>> = {},
    ): Promise<Answer> {
      const named = parts.map(
        ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
      );
      const body = `<CompleteMultipartUpload>${named.join('')}</CompleteMultipartUpload>`;
      return ask('POST', key, { ...query(['uploadId', uploadId]), body, headers });
    },

    abort: (key: string, uploadId: string): Promise<Answer> => ask('DELETE', key, query(['uploadId', uploadId])),

    listParts: (key: string, uploadId: string, ...more: readonly (readonly [string, string])[]): Promise<Answer> =>
      ask('GET', key, query(['uploadId', uploadId], ...more)),

    listUploads: (...more: readonly (readonly [string, string])[]): Promise<Answer> =>
      ask('GET', '', query(['uploads', ''], ...more)),
  };
}

/** The text of the first element of that name; empty if there is none. */
export function element(xml: string, name: string): string {
  return elements(xml, name)[0] ?? '';
}

export function elements(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) =>
    text.replaceAll('&quot;', '"'),
  );
}

export function md5Of(bytes: string | Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
