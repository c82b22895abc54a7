import { XML_NAMESPACE } from '../answer.ts';
import { operation } from '../operation.ts';
import { xmlElement } from '../wire/xml.ts';

/** What Pachyderm's own gateway calls the only place that there is. */
export const LOCATION = 'PACHYDERM';

/** Source: S3 API reference, GetBucketLocation. */
export const getBucketLocation = operation({
  name: 'GetBucketLocation',
  differs: 'Always `PACHYDERM`.',
  access: 'list',
  parse: () => undefined,
  run: async () => undefined,
  encode: () => ({
    status: 200,
    headers: [['Content-Type', 'application/xml']],
    body: { kind: 'bytes', bytes: DOCUMENT },
  }),
});

const DOCUMENT = Buffer.from(
  `<?xml version="1.0" encoding="UTF-8"?>\n${xmlElement('LocationConstraint', LOCATION, [['xmlns', XML_NAMESPACE]])}`,
);
