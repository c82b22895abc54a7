import { objectEtag } from '../../pfs/etag.ts';
import type { Located } from '../../pfs/files.ts';
import { pathOfKey } from '../../pfs/key.ts';
import type { Change } from '../../pfs/write/change.ts';
import { type HeaderField, xmlAnswer } from '../answer.ts';
import { openSource, parseSource } from '../copying.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { refuseIfBlocked } from '../settings.ts';
import { keyOf } from '../target.ts';
import { versionRead } from '../versioned.ts';
import { formatIsoDate } from '../wire/iso-date.ts';
import { xmlElement } from '../wire/xml.ts';
import { preconditionOf, writableBucket, writerId } from '../writing.ts';

/** Copies within pachd, across repos and projects; no bytes move. Source: S3 API reference, CopyObject. */
export const copyObject = operation({
  name: 'CopyObject',
  differs:
    'No bytes move, but those of a small object that was put a moment ago. Metadata directives change nothing, since there is no metadata.',
  access: 'write',
  lasts: 'long',
  parse(request) {
    const directive = request.http.headers.get('x-amz-metadata-directive') ?? 'COPY';
    if (directive !== 'COPY' && directive !== 'REPLACE')
      throw new S3Error('InvalidArgument', { message: 'Unknown metadata directive.' });
    return {
      path: pathOfKey(keyOf(request)),
      source: parseSource(request),
      directive,
      precondition: preconditionOf(request),
      acl: request.http.headers.get('x-amz-acl'),
    };
  },
  async run(ctx, { path, source, directive, precondition, acl }) {
    const { domain, caller, principal, view } = ctx;
    const bucket = writableBucket(view);
    await refuseIfBlocked(ctx, acl);
    const located = await openSource(ctx, source);
    const { view: from, info } = located;
    const same =
      from.bucket.project === bucket.project &&
      from.bucket.repo === bucket.repo &&
      info.path === path &&
      from.headId === view.headId;
    if (same && directive === 'COPY') {
      throw new S3Error('InvalidRequest', {
        message:
          "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
      });
    }
    const { hash } = info;
    const changes = [changeTo(path, located)];
    const principalId = writerId(principal);
    const { commitId, committedMs } = await domain.rounds.submit({
      caller,
      principalId,
      bucket,
      changes,
      precondition,
    });
    return { commitId, committedMs, hash, sourceCommitId: versionRead(source.versionId, from, info) };
  },
  encode({ commitId, committedMs, hash, sourceCommitId }) {
    const headers: readonly HeaderField[] = [
      ['x-amz-version-id', commitId],
      ['x-amz-copy-source-version-id', sourceCommitId],
    ];
    return xmlAnswer(
      'CopyObjectResult',
      [xmlElement('LastModified', formatIsoDate(committedMs)), xmlElement('ETag', `"${objectEtag(hash)}"`)],
      headers,
    );
  },
});

/** pachd copies it; what it cannot read yet, since the commit is not finished, is put from memory. */
function changeTo(path: string, located: Located): Change {
  const { hash, sizeBytes } = located.info;
  if ('content' in located) return { kind: 'put', path, content: { kind: 'memory', bytes: located.content, hash } };
  return { kind: 'copy', path, source: located.place.source, sourcePath: located.place.path, hash, sizeBytes };
}
