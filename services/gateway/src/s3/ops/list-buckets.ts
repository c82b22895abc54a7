import type { BucketInfo } from '../../pfs/buckets.ts';
import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { ownerElement } from '../owner.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { parseCount } from '../wire/number.ts';
import { xmlElement } from '../wire/xml.ts';

const BUCKETS_MAX = 10_000;

/** Every branch is a bucket. Source: S3 API reference, ListBuckets. */
export const listBuckets = operation({
  name: 'ListBuckets',
  differs: "Every branch of every repo that the principal may read is a bucket; the creation date is the repo's.",
  access: 'own',
  parse: ({ query }) => {
    const max = parseCount('max-buckets', query.get('max-buckets'), BUCKETS_MAX);
    if (max < 1 || max > BUCKETS_MAX)
      throw new S3Error('InvalidArgument', { message: `max-buckets must be from 1 to ${BUCKETS_MAX}` });
    return { prefix: query.get('prefix') ?? '', token: query.get('continuation-token'), max };
  },
  async run({ domain, caller }, { prefix, token, max }) {
    const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString();
    const buckets = (await domain.buckets.list(caller)).filter(({ name }) => name.startsWith(prefix) && name > after);
    const page = buckets.slice(0, max);
    return { page, next: buckets.length > max ? page.at(-1)?.name : undefined };
  },
  encode: ({ page, next }, { prefix }) =>
    xmlAnswer('ListAllMyBucketsResult', [
      ownerElement(),
      xmlElement('Buckets', page.map(bucketElement)),
      prefix === '' ? undefined : xmlElement('Prefix', prefix),
      next === undefined ? undefined : xmlElement('ContinuationToken', Buffer.from(next).toString('base64url')),
    ]),
});

function bucketElement({ name, createdMs }: BucketInfo) {
  return xmlElement('Bucket', [xmlElement('Name', name), xmlElement('CreationDate', formatIsoDate(createdMs))]);
}
