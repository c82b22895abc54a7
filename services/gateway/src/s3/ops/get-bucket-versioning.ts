import { xmlAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { xmlElement } from '../wire/xml.ts';

/** Every write is a commit, and a commit can be read for ever. Source: S3 API reference, GetBucketVersioning. */
export const getBucketVersioning = operation({
  name: 'GetBucketVersioning',
  differs: 'Always `Enabled`: a version is a commit.',
  access: 'list',
  parse: () => undefined,
  run: async () => undefined,
  encode: () => xmlAnswer('VersioningConfiguration', [xmlElement('Status', 'Enabled')]),
});
