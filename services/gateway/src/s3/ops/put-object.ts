import { objectEtag } from '../../pfs/etag.ts';
import { pathOfKey } from '../../pfs/key.ts';
import type { Content } from '../../pfs/write/change.ts';
import { emptyAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { refuseIfBlocked } from '../settings.ts';
import { keyOf } from '../target.ts';
import { checksumFields, preconditionOf, writableBucket, writerId } from '../writing.ts';

/** Stores an object. Source: S3 API reference, PutObject. */
export const putObject = operation({
  name: 'PutObject',
  differs:
    'Content-Type, user metadata, tags, storage class and the like are accepted and not kept. A key is a path: printable ASCII without `* ? [ ] { } ! ( ) @ + ^ \\`, without `//`, `.` and `..` parts; a slash at its end is dropped; an empty object with one is the mark of a folder, which is there as soon as something is in it: nothing is stored. No key below an object, no object over a folder: 409 ObjectNameConflict. The ETag is 32 hex digits of the PFS hash and `-1`.',
  access: 'write',
  parse: (request) => ({
    path: pathOfKey(keyOf(request)),
    isFolder: keyOf(request).endsWith('/'),
    precondition: preconditionOf(request),
    acl: request.http.headers.get('x-amz-acl'),
  }),
  async run(ctx, { path, isFolder, precondition, acl }) {
    const { domain, caller, principal, view, body } = ctx;
    const bucket = writableBucket(view);
    await refuseIfBlocked(ctx, acl);
    const { content, release } = await domain.stage.content(caller, body.content());
    try {
      if (isFolder && isEmpty(content)) {
        if (await domain.files.stat(caller, view, path)) throw new S3Error('ObjectNameConflict');
        return { commitId: view.headId, hash: content.hash, checksum: body.checksum() };
      }
      const principalId = writerId(principal);
      const { commitId, hashes } = await domain.rounds.submit({
        caller,
        principalId,
        bucket,
        changes: [{ kind: 'put', path, content }],
        precondition,
      });
      return { commitId, hash: hashes.get(path), checksum: body.checksum() };
    } finally {
      release();
    }
  },
  encode: ({ commitId, hash, checksum }) =>
    emptyAnswer(200, [
      ...(hash === undefined ? [] : [['ETag', `"${objectEtag(hash)}"`] as const]),
      ['x-amz-version-id', commitId],
      ...checksumFields(checksum),
    ]),
});

function isEmpty(content: Content): content is Content & { kind: 'memory' } {
  return content.kind === 'memory' && content.bytes.length === 0;
}
