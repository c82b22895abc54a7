import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../../../src/s3/errors.ts';
import { escapeXml, xmlDocument, xmlElement } from '../../../src/s3/wire/xml.ts';
import {
  childBoolean,
  childInteger,
  childrenNamed,
  childText,
  parseXml,
  requireChildText,
} from '../../../src/s3/wire/xml-read.ts';

describe('a document', () => {
  it('has a declaration, a namespace, and its elements in order', () => {
    const document = xmlDocument('Result', 'http://s3.amazonaws.com/doc/2006-03-01/', [
      xmlElement('Name', 'a'),
      undefined,
      xmlElement('Count', 3),
      xmlElement('IsTruncated', false),
      xmlElement('Owner', [xmlElement('ID', '')]),
      xmlElement('Grantee', [], [['xsi:type', 'A"B']]),
    ]);
    expect(document.toString()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Result xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>a</Name><Count>3</Count><IsTruncated>false</IsTruncated><Owner><ID></ID></Owner><Grantee xsi:type="A&quot;B"></Grantee></Result>',
    );
    expect(xmlDocument('Error', undefined, []).toString()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error></Error>',
    );
  });

  it.each([
    ['plain é 漢 😀', 'plain é 漢 😀'],
    [`&<>"'`, '&amp;&lt;&gt;&quot;&apos;'],
    ['\t\n\r', '&#x9;&#xA;&#xD;'],
    ['\u0001\u001f\u007f\u0085', '&#x1;&#x1F;&#x7F;&#x85;'],
    ['\0', '\ufffd'],
    ['a\ud800b', 'a\ufffdb'],
    ['\ufffe\uffff', '\ufffd\ufffd'],
    ['&amp;', '&amp;amp;'],
  ])('escapes %j', (text, escaped) => {
    expect(escapeXml(text)).toBe(escaped);
  });
});

function parse(text: string) {
  return parseXml(Buffer.from(text));
}

describe('a parsed document', () => {
  it('has names without prefix, text, and children in order', () => {
    const root = parse(
      '<?xml version="1.0"?><!-- hi --><s3:Delete xmlns:s3="urn:x" a="b"><Quiet> true </Quiet>\n<Object><Key> a&amp;b&#x41;&#66; </Key></Object><Object><Key><![CDATA[<&>]]></Key></Object><Empty/></s3:Delete>',
    );
    expect(root.name).toBe('Delete');
    expect(childBoolean(root, 'Quiet')).toBe(true);
    expect(childrenNamed(root, 'Object').map((object) => requireChildText(object, 'Key'))).toEqual([' a&bAB ', '<&>']);
    expect(childText(root, 'Empty')).toBe('');
    expect(childText(root, 'None')).toBeUndefined();
    expect(childBoolean(root, 'None')).toBeUndefined();
    expect(childInteger(root, 'None')).toBeUndefined();
  });

  it('gives whole numbers', () => {
    expect(childInteger(parse('<a><n> 10000 </n></a>'), 'n')).toBe(10_000);
    for (const text of ['', '-1', '1.5', '1e3', '0x10', 'ten', '99999999999999999']) {
      expect(() => childInteger(parse(`<a><n>${text}</n></a>`), 'n')).toThrow(
        expect.objectContaining({ code: 'MalformedXML' }),
      );
    }
  });

  it('refuses what is missing, and what is no truth value', () => {
    expect(() => requireChildText(parse('<a/>'), 'Key')).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
    expect(() => childBoolean(parse('<a><b>yes</b></a>'), 'b')).toThrow(
      expect.objectContaining({ code: 'MalformedXML' }),
    );
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \n '],
    ['text', 'hello'],
    ['an element that is not closed', '<a><b></a>'],
    ['elements that cross', '<a><b></a></b>'],
    ['two roots', '<a></a><b></b>'],
    ['text after the root', '<a></a>b'],
    ['a DOCTYPE', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['a DOCTYPE in lower case', '<!doctype a><a/>'],
    ['an entity nobody knows', '<a><b>&nbsp;</b></a>'],
    ['a bare ampersand', '<a><b>x & y</b></a>'],
    ['an entity without an end', '<a><b>&lt</b></a>'],
    ['a reference to NUL', '<a>&#0;</a>'],
    ['a reference to half a character', '<a>&#xD800;</a>'],
    ['a reference past Unicode', '<a>&#x110000;</a>'],
    ['elements nested too deeply', '<a>'.repeat(40) + '</a>'.repeat(40)],
    ['elements nested far too deeply', '<a>'.repeat(100_000) + '</a>'.repeat(100_000)],
  ])('refuses %s', (_name, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'MalformedXML', status: 400 }));
  });

  it('refuses what is no UTF-8, and what is too large', () => {
    expect(() => parseXml(Buffer.from('<a>\xff</a>', 'latin1'))).toThrow(
      expect.objectContaining({ code: 'MalformedXML' }),
    );
    expect(() => parseXml(Buffer.from('<a>12</a>'), { maxBytes: 8, maxDepth: 4 })).toThrow(
      expect.objectContaining({ code: 'MalformedXML' }),
    );
  });

  it('takes UTF-8 with a byte order mark', () => {
    expect(parse('\ufeff<a><b>é</b></a>').children[0]?.text).toBe('é');
  });

  it('holds the 10,000 parts of the largest upload', () => {
    const part = '<Part><PartNumber>1</PartNumber><ETag>"0123456789abcdef0123456789abcdef"</ETag></Part>';
    const root = parse(`<CompleteMultipartUpload>${part.repeat(10_000)}</CompleteMultipartUpload>`);
    expect(childrenNamed(root, 'Part')).toHaveLength(10_000);
  });

  it('has the text that was written', () => {
    const character = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replace(/[\0\ufffe\uffff]/g, ''));
    fc.assert(
      fc.property(character, (text) => {
        const root = parseXml(xmlDocument('a', undefined, [xmlElement('b', text)]));
        expect(childText(root, 'b')).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('or a coded error comes of anything', () => {
    const token = fc.constantFrom(
      '<a>',
      '</a>',
      '<b/>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '&amp;',
      '&',
      '<',
      '>',
      '"',
      '<?x',
      '?>',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 20 }), (tokens) => {
        try {
          expect(parse(tokens.join(''))).toHaveProperty('name');
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
