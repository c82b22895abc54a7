import { emptyAnswer, xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import type { HttpAnswer } from '../http.ts';
import { type BucketContext, operation } from '../operation.ts';
import { OWNER_ID, OWNER_NAME, ownerElement } from '../owner.ts';
import { parseNamed, statObject } from '../reading.ts';
import type { S3Request } from '../request.ts';
import { refuseIfBlocked } from '../settings.ts';
import { xmlElement } from '../wire/xml.ts';
import { childrenNamed, childText, type XmlNode } from '../wire/xml-read.ts';

const DOCUMENT_MAX_BYTES = 256 << 10;

const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

/** pachd's own permissions are what counts, so every list is the canned private one. Source: S3 API reference, GetBucketAcl. */
export const getBucketAcl = operation({
  name: 'GetBucketAcl',
  differs: "Always the canned `private`: pachd's permissions are what counts.",
  access: 'list',
  parse: () => undefined,
  run: async () => undefined,
  encode: privateAcl,
});

/** Source: S3 API reference, GetObjectAcl. */
export const getObjectAcl = operation({
  name: 'GetObjectAcl',
  differs: 'Always the canned `private`.',
  access: 'read',
  parse: parseNamed,
  run: statObject,
  encode: privateAcl,
});

/** To set what is set changes nothing. Source: S3 API reference, PutBucketAcl. */
export const putBucketAcl = operation({
  name: 'PutBucketAcl',
  differs: '`private` changes nothing; anything else is refused, as of a bucket whose access lists are disabled.',
  access: 'write',
  parse: cannedOf,
  run: requirePrivate,
  encode: () => emptyAnswer(200),
});

/** Source: S3 API reference, PutObjectAcl. */
export const putObjectAcl = operation({
  name: 'PutObjectAcl',
  differs: 'As PutBucketAcl.',
  access: 'write',
  parse: (request) => ({ ...parseNamed(request), ...cannedOf(request) }),
  async run(ctx, input) {
    await statObject(ctx, input);
    await requirePrivate(ctx, input);
  },
  encode: () => emptyAnswer(200),
});

function privateAcl(): HttpAnswer {
  return xmlAnswer('AccessControlPolicy', [
    ownerElement(),
    xmlElement('AccessControlList', [
      xmlElement('Grant', [
        xmlElement(
          'Grantee',
          [xmlElement('ID', OWNER_ID), xmlElement('DisplayName', OWNER_NAME)],
          [
            ['xmlns:xsi', XSI],
            ['xsi:type', 'CanonicalUser'],
          ],
        ),
        xmlElement('Permission', 'FULL_CONTROL'),
      ]),
    ]),
  ]);
}

interface Canned {
  readonly canned: string | undefined;
}

/** @throws S3Error AccessControlListNotSupported for grants in headers */
function cannedOf({ http }: S3Request): Canned {
  const { headers } = http;
  if (headers.entries().some(([name]) => name.startsWith('x-amz-grant-'))) {
    throw new S3Error('AccessControlListNotSupported');
  }
  return { canned: headers.get('x-amz-acl') };
}

/** Some clients give a copy the list that they read of its source. @throws S3Error AccessControlListNotSupported, AccessDenied, MalformedXML */
async function requirePrivate(ctx: BucketContext, { canned }: Canned): Promise<void> {
  if (canned === 'private' || canned === 'bucket-owner-full-control') return;
  await refuseIfBlocked(ctx, canned);
  const document = canned === undefined ? await ctx.body.document(DOCUMENT_MAX_BYTES) : undefined;
  const list = document && childrenNamed(document, 'AccessControlList')[0];
  const grants = list === undefined ? [] : childrenNamed(list, 'Grant');
  if (grants.length === 0 || !grants.every(isOwners)) throw new S3Error('AccessControlListNotSupported');
}

function isOwners(grant: XmlNode): boolean {
  const [grantee] = childrenNamed(grant, 'Grantee');
  return (
    grantee !== undefined && childText(grantee, 'ID') === OWNER_ID && childText(grant, 'Permission') === 'FULL_CONTROL'
  );
}
