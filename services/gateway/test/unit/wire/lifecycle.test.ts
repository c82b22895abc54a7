import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { checkLifecycle } from '../../../src/s3/wire/lifecycle.ts';
import { parseXml } from '../../../src/s3/wire/xml-read.ts';

function outcome(...rules: readonly string[]): string {
  const text = `<LifecycleConfiguration>${rules.map((rule) => `<Rule>${rule}</Rule>`).join('')}</LifecycleConfiguration>`;
  try {
    checkLifecycle(parseXml(Buffer.from(text)));
    return 'taken';
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

const FRAME = '<Prefix>a/</Prefix><Status>Enabled</Status>';
const EXPIRES = '<Expiration><Days>1</Days></Expiration>';
const id = (text: string) => `<ID>${text}</ID>`;
const expiration = (inner: string) => `${FRAME}<Expiration>${inner}</Expiration>`;
const transition = (inner: string) => `${FRAME}<Transition>${inner}</Transition>`;
const CLASS = '<StorageClass>GLACIER</StorageClass>';

describe('a lifecycle', () => {
  it.each([
    ['of a rule', FRAME + EXPIRES, 'taken'],
    ['with a filter', `<Filter><Tag><Key>a</Key></Tag></Filter><Status>Disabled</Status>${EXPIRES}`, 'taken'],
    ['with both', `<Filter/>${FRAME}${EXPIRES}`, 'MalformedXML'],
    ['with neither', `<Status>Enabled</Status>${EXPIRES}`, 'MalformedXML'],
    ['with another status', `<Prefix/><Status>enabled</Status>${EXPIRES}`, 'MalformedXML'],
    ['without a status', `<Prefix/>${EXPIRES}`, 'MalformedXML'],
    ['with a long id', id('a'.repeat(255)) + FRAME + EXPIRES, 'taken'],
    ['with an id too long', id('a'.repeat(256)) + FRAME + EXPIRES, 'InvalidArgument'],
    ['without an action', FRAME, 'InvalidRequest'],
    ['with days of none', expiration('<Days>0</Days>'), 'InvalidArgument'],
    ['with days of less', expiration('<Days>-1</Days>'), 'InvalidArgument'],
    ['with other days', expiration('<Days>one</Days>'), 'MalformedXML'],
    ['with days and a date', expiration('<Days>1</Days><Date>2030-01-01T00:00:00Z</Date>'), 'MalformedXML'],
    ['with a date', expiration('<Date>2030-01-01T00:00:00.000Z</Date>'), 'taken'],
    ['with a bare date', expiration('<Date>2030-01-01</Date>'), 'taken'],
    ['with a time', expiration('<Date>2030-01-01T00:00:01Z</Date>'), 'InvalidArgument'],
    ['with no date', expiration('<Date>20300101</Date>'), 'MalformedXML'],
    ['with markers', expiration('<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>'), 'taken'],
    ['with a transition at once', transition(`<Days>0</Days>${CLASS}`), 'taken'],
    ['with one before', transition(`<Days>-1</Days>${CLASS}`), 'InvalidArgument'],
    ['with one to nowhere', transition('<Days>1</Days><StorageClass>COLD</StorageClass>'), 'MalformedXML'],
    ['with one at a time', transition(`<Date>2030-01-01T00:00:01Z</Date>${CLASS}`), 'InvalidArgument'],
    [
      'of old versions',
      `${FRAME}<NoncurrentVersionExpiration><NoncurrentDays>0</NoncurrentDays></NoncurrentVersionExpiration>`,
      'InvalidArgument',
    ],
    [
      'of old versions elsewhere',
      `${FRAME}<NoncurrentVersionTransition><NoncurrentDays>0</NoncurrentDays>${CLASS}</NoncurrentVersionTransition>`,
      'taken',
    ],
    [
      'of uploads',
      `${FRAME}<AbortIncompleteMultipartUpload><DaysAfterInitiation>0</DaysAfterInitiation></AbortIncompleteMultipartUpload>`,
      'InvalidArgument',
    ],
    ['of uploads, never', `${FRAME}<AbortIncompleteMultipartUpload></AbortIncompleteMultipartUpload>`, 'MalformedXML'],
  ])('%s', (_, rule, expected) => {
    expect(outcome(rule)).toBe(expected);
  });

  it('has rules, each with an id of its own', () => {
    expect(outcome()).toBe('MalformedXML');
    expect(outcome(FRAME + EXPIRES, FRAME + EXPIRES)).toBe('taken');
    expect(outcome(id('a') + FRAME + EXPIRES, id('b') + FRAME + EXPIRES)).toBe('taken');
    expect(outcome(id('a') + FRAME + EXPIRES, id('a') + FRAME + EXPIRES)).toBe('InvalidArgument');
    expect(outcome(...Array.from({ length: 1_001 }, () => FRAME + EXPIRES))).toBe('InvalidRequest');
  });

  it('is a document of that name', () => {
    expect(() => checkLifecycle(undefined)).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
    expect(() => checkLifecycle(parseXml(Buffer.from('<x/>')))).toThrow(
      expect.objectContaining({ code: 'MalformedXML' }),
    );
  });
});
