import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { S3Error } from '../errors.ts';

/** An element of a parsed document. Names come without their namespace prefix; attributes are not kept, S3's bodies need none. */
export interface XmlNode {
  readonly name: string;
  /** The text directly in it, joined; not trimmed, since a key may begin with a blank. */
  readonly text: string;
  readonly children: readonly XmlNode[];
}

export interface XmlLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/** Enough for the 1,000 keys of DeleteObjects and the 10,000 parts of CompleteMultipartUpload. */
const XML_LIMITS: XmlLimits = { maxBytes: 4 * 1024 * 1024, maxDepth: 16 };

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  cdataPropName: '#cdata',
  // Entities are resolved here, below: exactly the five of XML and numeric ones, so no document can define its own.
  processEntities: false,
  htmlEntities: false,
  maxNestedTags: 64,
});

/**
 * The root element of a document.
 * @throws S3Error MalformedXML for what is not well-formed UTF-8 XML, has a DOCTYPE or an unknown entity, or passes a limit.
 */
export function parseXml(bytes: Uint8Array, limits: XmlLimits = XML_LIMITS): XmlNode {
  if (bytes.length > limits.maxBytes) {
    throw malformed(`The document is larger than ${limits.maxBytes} bytes.`);
  }
  const text = decodeText(bytes);
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    throw malformed('A document type declaration is not allowed.');
  }
  const root = parseTree(text).flatMap((entry) => nodeOf(entry, limits.maxDepth));
  const [only] = root;
  if (only === undefined || root.length !== 1) {
    throw malformed();
  }
  return only;
}

/** The text of the first child of that name, or undefined if there is no such child. */
export function childText(node: XmlNode, name: string): string | undefined {
  return node.children.find((child) => child.name === name)?.text;
}

/**
 * The text of the first child of that name.
 * @throws S3Error MalformedXML if there is none.
 */
export function requireChildText(node: XmlNode, name: string): string {
  const text = childText(node, name);
  if (text === undefined) {
    throw malformed(`${node.name} needs ${name}.`);
  }
  return text;
}

/**
 * The first child of that name as a whole number from 0 to 2^53 - 1, or undefined if there is no such child.
 * @throws S3Error MalformedXML if it is something else.
 */
export function childInteger(node: XmlNode, name: string): number | undefined {
  const text = childText(node, name)?.trim();
  if (text === undefined) {
    return undefined;
  }
  const value = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw malformed(`${name} must be a number.`);
  }
  return value;
}

/**
 * The first child of that name as a truth value, or undefined if there is no such child.
 * @throws S3Error MalformedXML if it is something else.
 */
export function childBoolean(node: XmlNode, name: string): boolean | undefined {
  const text = childText(node, name)?.trim().toLowerCase();
  switch (text) {
    case undefined:
      return undefined;
    case 'true':
      return true;
    case 'false':
      return false;
    default:
      throw malformed(`${name} must be true or false.`);
  }
}

/** Every child of that name, in order. */
export function childrenNamed(node: XmlNode, name: string): readonly XmlNode[] {
  return node.children.filter((child) => child.name === name);
}

/** Characters that no document may have. Source: XML 1.0, 2.2; the parser lets them through. */
const FORBIDDEN = /(?![\t\n\r\x7f-\x9f])[\p{Cc}\ufffe\uffff]/u;

function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new S3Error('MalformedXML', { cause });
  }
  if (FORBIDDEN.test(text)) throw malformed('The document has a character that XML does not allow.');
  return text;
}

/** The parser forgives unclosed and crossed tags, so the validator goes first. */
function parseTree(text: string): readonly unknown[] {
  try {
    if (XMLValidator.validate(text) === true) {
      const tree: unknown = parser.parse(text);
      return Array.isArray(tree) ? tree : [];
    }
  } catch (cause) {
    throw new S3Error('MalformedXML', { cause });
  }
  throw malformed();
}

/** `preserveOrder` gives `[{ name: children }, { '#text': text }, { '#cdata': [{ '#text': text }] }]`. */
function nodeOf(entry: unknown, depthLeft: number): XmlNode[] {
  if (typeof entry !== 'object' || entry === null) {
    return [];
  }
  const found = Object.entries(entry).find(([name]) => !NOT_ELEMENTS.has(name));
  if (found === undefined) {
    return [];
  }
  if (depthLeft === 0) {
    throw malformed('The elements are nested too deeply.');
  }
  const [name, content] = found;
  const inner: readonly unknown[] = Array.isArray(content) ? content : [];
  const children = inner.flatMap((child) => nodeOf(child, depthLeft - 1));
  return [{ name, text: inner.map(textOf).join(''), children }];
}

const NOT_ELEMENTS: ReadonlySet<string> = new Set([':@', '#text', '#cdata']);

function textOf(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) {
    return '';
  }
  if ('#cdata' in entry && Array.isArray(entry['#cdata'])) {
    return entry['#cdata'].map((part: unknown) => rawTextOf(part)).join('');
  }
  return resolveEntities(rawTextOf(entry));
}

function rawTextOf(entry: unknown): string {
  return typeof entry === 'object' && entry !== null && '#text' in entry ? String(entry['#text']) : '';
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function resolveEntities(text: string): string {
  if (!text.includes('&')) {
    return text;
  }
  return text.replace(/&([^;&]{0,10});?/g, (all: string, name: string) => {
    const character = ENTITIES.get(name) ?? numericReference(name);
    if (character === undefined || !all.endsWith(';')) {
      throw malformed(`Unknown entity ${all}.`);
    }
    return character;
  });
}

function numericReference(name: string): string | undefined {
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
  if (digits === null) {
    return undefined;
  }
  const code = digits[1] === undefined ? Number.parseInt(digits[2] ?? '', 10) : Number.parseInt(digits[1], 16);
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

function malformed(message?: string): S3Error {
  return message === undefined ? new S3Error('MalformedXML') : new S3Error('MalformedXML', { message });
}
