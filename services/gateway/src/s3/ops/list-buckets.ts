import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { ownerElement } from '../owner.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { parseCount } from '../wire/number.ts';
import { xmlElement } from '../wire/xml.ts';
import { LOCATION } from './get-bucket-location.ts';

const BUCKETS_MAX = 10_000;

/** Every branch is a bucket. Source: S3 API reference, ListBuckets. */
export const listBuckets = operation({
  name: 'ListBuckets',
  differs:
    "Every branch of every repo that the principal may read is a bucket; the creation date is the repo's. The only region is `PACHYDERM`.",
  access: 'own',
  parse: ({ query }) => {
    const max = parseCount('max-buckets', query.get('max-buckets'), BUCKETS_MAX);
    if (max < 1 || max > BUCKETS_MAX) {
      throw new S3Error('InvalidArgument', {
        message: `Argument max-buckets must be an integer between 1 and ${BUCKETS_MAX}`,
        elements: [['ArgumentName', 'max-buckets']],
      });
    }
    const region = query.get('bucket-region');
    return {
      prefix: query.get('prefix') ?? '',
      after: readToken(query.get('continuation-token')),
      max,
      region,
      // S3 says where a bucket is to who asks for some of them only.
      located: ['prefix', 'continuation-token', 'max-buckets', 'bucket-region'].some((name) => query.has(name)),
    };
  },
  async run({ domain, caller }, { prefix, after, max, region }) {
    if (region !== undefined && region !== '' && region !== LOCATION) return { page: [], next: undefined };
    const buckets = (await domain.buckets.list(caller)).filter(({ name }) => name.startsWith(prefix) && name > after);
    const page = buckets.slice(0, max);
    return { page, next: buckets.length > max ? page.at(-1)?.name : undefined };
  },
  encode: ({ page, next }, { prefix, located }) =>
    xmlAnswer('ListAllMyBucketsResult', [
      ownerElement(),
      xmlElement(
        'Buckets',
        page.map(({ name, createdMs }) =>
          xmlElement('Bucket', [
            xmlElement('Name', name),
            xmlElement('CreationDate', formatIsoDate(createdMs)),
            located ? xmlElement('BucketRegion', LOCATION) : undefined,
          ]),
        ),
      ),
      prefix === '' ? undefined : xmlElement('Prefix', prefix),
      next === undefined ? undefined : xmlElement('ContinuationToken', Buffer.from(next).toString('base64url')),
    ]),
});

/** The name of the last bucket of the page before. */
function readToken(token: string | undefined): string {
  if (token === undefined || token === '') return '';
  const name = Buffer.from(token, 'base64url');
  if (name.toString('base64url') !== token) {
    throw new S3Error('InvalidArgument', {
      message: 'The continuation token provided is incorrect',
      elements: [['ArgumentName', 'continuation-token']],
    });
  }
  return name.toString();
}
