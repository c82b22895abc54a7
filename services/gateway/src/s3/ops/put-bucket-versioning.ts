import { emptyAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { requireChildText } from '../wire/xml-read.ts';

const DOCUMENT_MAX_BYTES = 64 << 10;

/** Versioning is on and stays on: to switch it on changes nothing. Source: S3 API reference, PutBucketVersioning. */
export const putBucketVersioning = operation({
  name: 'PutBucketVersioning',
  differs: '`Enabled` changes nothing, `Suspended` is refused.',
  access: 'write',
  parse: () => undefined,
  async run({ body }) {
    const document = await body.document(DOCUMENT_MAX_BYTES);
    if (document?.name !== 'VersioningConfiguration') throw new S3Error('MalformedXML');
    const status = requireChildText(document, 'Status').trim();
    if (status === 'Suspended') throw new S3Error('NotImplemented', { message: 'Versioning cannot be suspended.' });
    if (status !== 'Enabled') throw new S3Error('IllegalVersioningConfigurationException');
  },
  encode: () => emptyAnswer(200),
});
