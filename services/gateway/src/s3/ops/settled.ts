import { emptyAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { type Operation, operation } from '../operation.ts';
import { childrenNamed, childText, type XmlNode } from '../wire/xml-read.ts';

const DOCUMENT_MAX_BYTES = 256 << 10;

/** What a bucket is and stays: to set it to that changes nothing, and nothing else can be. */
const settled = (name: string, root: string, what: string, is: (document: XmlNode) => boolean): Operation =>
  operation({
    name,
    differs: `${what} changes nothing; anything else is 501 NotImplemented.`,
    access: 'write',
    parse: () => undefined,
    async run({ body }) {
      const document = await body.document(DOCUMENT_MAX_BYTES);
      if (document?.name !== root) throw new S3Error('MalformedXML');
      if (!is(document)) throw new S3Error('NotImplemented', { elements: [['Operation', name]] });
    },
    encode: () => emptyAnswer(200),
  });

const isEmpty = ({ children }: XmlNode) => children.length === 0;

export const putBucketAccelerate = settled(
  'PutBucketAccelerateConfiguration',
  'AccelerateConfiguration',
  '`Suspended`',
  (document) => childText(document, 'Status') === 'Suspended',
);
export const putBucketLogging = settled('PutBucketLogging', 'BucketLoggingStatus', 'An empty one', isEmpty);
export const putBucketNotification = settled(
  'PutBucketNotificationConfiguration',
  'NotificationConfiguration',
  'An empty one',
  isEmpty,
);
export const putBucketOwnership = settled(
  'PutBucketOwnershipControls',
  'OwnershipControls',
  '`BucketOwnerEnforced`',
  (document) => {
    const rules = childrenNamed(document, 'Rule');
    return rules.length === 1 && rules.every((rule) => childText(rule, 'ObjectOwnership') === 'BucketOwnerEnforced');
  },
);
export const putBucketRequestPayment = settled(
  'PutBucketRequestPayment',
  'RequestPaymentConfiguration',
  '`BucketOwner`',
  (document) => childText(document, 'Payer') === 'BucketOwner',
);
