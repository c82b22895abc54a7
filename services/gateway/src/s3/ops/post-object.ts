import { objectEtag } from '../../pfs/etag.ts';
import { pathOfKey } from '../../pfs/key.ts';
import { emptyAnswer, type HeaderField, XML_TYPE } from '../answer.ts';
import { formHeaders } from '../body.ts';
import { S3Error } from '../errors.ts';
import type { HttpBody } from '../http.ts';
import { operation } from '../operation.ts';
import { refuseBrokenPromises } from '../promises.ts';
import { refuseIfBlocked } from '../settings.ts';
import { bucketOf, locationOf } from '../target.ts';
import type { Form } from '../wire/form-data.ts';
import { checkPostPolicy, type PostPolicy, parsePostPolicy } from '../wire/post-policy.ts';
import { xmlDocument, xmlElement } from '../wire/xml.ts';
import { checksumFields, writableBucket, writerId } from '../writing.ts';

/** An upload by a form in a browser. Source: S3 API reference, "Browser-based uploads using POST". */
export const postObject = operation({
  name: 'PostObject',
  differs: 'As PutObject. The form is signed by version 4 or 2; fields of metadata are accepted and not kept.',
  access: 'write',
  signed: 'in a form',
  parse(request) {
    const { form } = request;
    if (form === undefined) throw new TypeError('a form upload without its form');
    refuseBrokenPromises(formHeaders(form));
    const bucket = bucketOf(request);
    const key = keyOf(form);
    const fields = new Map([...form.fields, ['bucket', bucket] as const, ['key', key] as const]);
    const signed = fields.get('policy');
    const policy = signed === undefined ? undefined : parsePostPolicy(signed);
    if (policy !== undefined) checkPostPolicy(policy, fields, Date.now());
    return {
      bucket,
      key,
      path: pathOfKey(key),
      policy,
      location: locationOf(request, key),
      redirect: redirectOf(fields),
      status: fields.get('success_action_status'),
      acl: fields.get('acl'),
    };
  },
  async run(ctx, { path, policy, acl }) {
    const { domain, caller, principal, view, body } = ctx;
    const bucket = writableBucket(view);
    await refuseIfBlocked(ctx, acl);
    const { content, release } = await domain.stage.content(caller, within(body.content(), policy));
    try {
      const { commitId, hashes } = await domain.rounds.submit({
        caller,
        principalId: writerId(principal),
        bucket,
        changes: [{ kind: 'put', path, content }],
        precondition: undefined,
      });
      const hash = hashes.get(path);
      return { commitId, etag: hash === undefined ? '' : `"${objectEtag(hash)}"`, checksum: body.checksum() };
    } finally {
      release();
    }
  },
  encode({ commitId, etag, checksum }, { bucket, key, location, redirect, status }) {
    const headers: readonly HeaderField[] = [
      ['ETag', etag],
      ['x-amz-version-id', commitId],
      ...checksumFields(checksum),
    ];
    if (redirect !== undefined) {
      const target = new URL(redirect);
      for (const [name, value] of Object.entries({ bucket, key, etag })) target.searchParams.append(name, value);
      return emptyAnswer(303, [...headers, ['Location', target.href]]);
    }
    const located: readonly HeaderField[] = [...headers, ['Location', location]];
    if (status !== '201') return emptyAnswer(status === '200' ? 200 : 204, located);
    const bytes = xmlDocument('PostResponse', undefined, [
      xmlElement('Location', location),
      xmlElement('Bucket', bucket),
      xmlElement('Key', key),
      xmlElement('ETag', etag),
    ]);
    return { status: 201, headers: [XML_TYPE, ...located], body: { kind: 'bytes', bytes } };
  },
});

/** `${filename}` is what the browser calls the file. */
function keyOf({ fields, filename }: Form): string {
  const key = fields.get('key')?.replaceAll('${filename}', () => filename);
  if (key === undefined || key === '') {
    throw new S3Error('InvalidArgument', {
      message:
        "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      elements: [['ArgumentName', 'key']],
    });
  }
  return key;
}

/** One that is no URL is as if it were not there. */
function redirectOf(fields: ReadonlyMap<string, string>): string | undefined {
  const url = fields.get('success_action_redirect') ?? fields.get('redirect') ?? '';
  return /^https?:\/\//i.test(url) && URL.canParse(url) ? url : undefined;
}

function within(body: HttpBody, policy: PostPolicy | undefined): HttpBody {
  if (policy === undefined) return body;
  const content = limited(body, policy);
  return { lengthBytes: body.lengthBytes, [Symbol.asyncIterator]: () => content };
}

async function* limited(
  body: HttpBody,
  { minBytes, maxBytes }: PostPolicy,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new S3Error('EntityTooLarge', { elements: [['MaxSizeAllowed', String(maxBytes)]] });
    yield chunk;
  }
  if (bytes < minBytes) throw new S3Error('EntityTooSmall', { elements: [['MinSizeAllowed', String(minBytes)]] });
}
