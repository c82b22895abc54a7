import { objectEtag } from '../../pfs/etag.ts';
import { xmlAnswer } from '../answer.ts';
import { S3Error } from '../errors.ts';
import { operation } from '../operation.ts';
import { parseNamed, statObject } from '../reading.ts';
import { versionRead } from '../versioned.ts';
import { formatHttpDate } from '../wire/http-date.ts';
import { xmlElement } from '../wire/xml.ts';

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'];

/** Source: S3 API reference, GetObjectAttributes. */
export const getObjectAttributes = operation({
  name: 'GetObjectAttributes',
  differs: '`Checksum` and `ObjectParts` are not known, and left out.',
  access: 'read',
  parse(request) {
    const asked = request.http.headers
      .all('x-amz-object-attributes')
      .flatMap((value) => value.split(','))
      .map((name) => name.trim())
      .filter((name) => name !== '');
    if (asked.length === 0) {
      throw new S3Error('InvalidRequest', {
        message:
          'The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty',
      });
    }
    if (asked.some((name) => !ATTRIBUTES.includes(name))) {
      throw new S3Error('InvalidArgument', {
        message: 'Invalid attribute name specified.',
        elements: [['ArgumentName', 'x-amz-object-attributes']],
      });
    }
    return { ...parseNamed(request), asked: new Set(asked) };
  },
  async run(ctx, input) {
    const info = await statObject(ctx, input);
    return { info, commitId: versionRead(input.versionId, ctx.view, info) };
  },
  encode: ({ info, commitId }, { asked }) =>
    xmlAnswer(
      'GetObjectAttributesResponse',
      [
        asked.has('ETag') ? xmlElement('ETag', objectEtag(info.hash)) : undefined,
        asked.has('StorageClass') ? xmlElement('StorageClass', 'STANDARD') : undefined,
        asked.has('ObjectSize') ? xmlElement('ObjectSize', info.sizeBytes) : undefined,
      ],
      [
        ['Last-Modified', formatHttpDate(info.lastModifiedMs)],
        ['x-amz-version-id', commitId],
      ],
    ),
});
