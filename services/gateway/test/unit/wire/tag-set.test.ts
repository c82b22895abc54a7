import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { parseTagSet, readTagText, tagText } from '../../../src/s3/wire/tag-set.ts';
import { parseXml } from '../../../src/s3/wire/xml-read.ts';

function outcome(document: string, what: 'Object' | 'Bucket' = 'Object') {
  try {
    return parseTagSet(parseXml(Buffer.from(document)), what);
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

const tag = (key: string, value = '') => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const tagging = (...tags: readonly string[]) => `<Tagging><TagSet>${tags.join('')}</TagSet></Tagging>`;
const many = (count: number) => tagging(...Array.from({ length: count }, (_, at) => tag(`k${at}`)));

describe('tags', () => {
  it.each([
    ['none', tagging(), []],
    ['one', tagging(tag('a', 'b')), [{ key: 'a', value: 'b' }]],
    [
      'two',
      tagging(tag('b'), tag('ä é', '+-=._:/@')),
      [
        { key: 'b', value: '' },
        { key: 'ä é', value: '+-=._:/@' },
      ],
    ],
    ['twice the same', tagging(tag('a', '1'), tag('a', '2')), 'InvalidTag'],
    ['without a name', tagging(tag('')), 'InvalidTag'],
    ['with other signs', tagging(tag('a', '#')), 'InvalidTag'],
    ['of S3 itself', tagging(tag('AWS:a')), 'InvalidTag'],
    ['with a long key', tagging(tag('k'.repeat(129))), 'InvalidTag'],
    ['with a long value', tagging(tag('k', 'v'.repeat(257))), 'InvalidTag'],
    ['without a value', '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>', 'MalformedXML'],
    ['without a set', '<Tagging/>', 'MalformedXML'],
    ['in another document', '<TagSet/>', 'MalformedXML'],
  ])('%s', (_, document, expected) => {
    expect(outcome(document)).toEqual(expected);
  });

  it('are as many as S3 allows', () => {
    expect(outcome(tagging(tag('k'.repeat(128), 'v'.repeat(256))))).toHaveLength(1);
    expect(outcome(many(10))).toHaveLength(10);
    expect(outcome(many(11))).toBe('BadRequest');
    expect(outcome(many(50), 'Bucket')).toHaveLength(50);
    expect(outcome(many(51), 'Bucket')).toBe('BadRequest');
  });
});

describe('tags as they are kept', () => {
  it('are read as they were written', () => {
    const tags = [
      { key: 'b', value: '' },
      { key: 'ä', value: '"' },
    ];
    expect(readTagText(tagText(tags))).toEqual(tags);
    expect(readTagText(undefined)).toEqual([]);
  });

  it.each([
    '',
    'a',
    '{}',
    'null',
    '5',
    '[null]',
    '["ab"]',
    '[["a"]]',
    '[["a",1]]',
    '[[["<b/>"],"c"]]',
    '[["a","b","c"]]',
  ])('are none if others wrote %j there', (text) => {
    expect(readTagText(text)).toEqual([]);
  });
});
