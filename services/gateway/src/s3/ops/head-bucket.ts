import { emptyAnswer } from '../answer.ts';
import { operation } from '../operation.ts';
import { LOCATION } from './get-bucket-location.ts';

/** Source: S3 API reference, HeadBucket. */
export const headBucket = operation({
  name: 'HeadBucket',
  access: 'list',
  parse: () => undefined,
  run: async () => undefined,
  encode: () =>
    emptyAnswer(200, [
      ['Content-Type', 'application/xml'],
      ['x-amz-bucket-region', LOCATION],
    ]),
});
