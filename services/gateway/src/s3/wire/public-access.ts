import { S3Error } from '../errors.ts';
import { type Xml, xmlElement } from './xml.ts';
import { childBoolean, type XmlNode } from './xml-read.ts';

/** The switches of a public access block. Source: S3 API reference, PublicAccessBlockConfiguration. */
const SWITCHES = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;

export type PublicAccessSwitch = (typeof SWITCHES)[number];

/** Those that are on. */
export type PublicAccessBlock = ReadonlySet<PublicAccessSwitch>;

/** @throws S3Error MalformedXML */
export function parsePublicAccessBlock(document: XmlNode | undefined): PublicAccessBlock {
  if (document?.name !== 'PublicAccessBlockConfiguration') throw new S3Error('MalformedXML');
  return new Set(SWITCHES.filter((name) => childBoolean(document, name) ?? false));
}

export function publicAccessElements(block: PublicAccessBlock): readonly Xml[] {
  return SWITCHES.map((name) => xmlElement(name, block.has(name)));
}

/** As it is kept: the names of those that are on. */
export function publicAccessText(block: PublicAccessBlock): string {
  return [...block].join(' ');
}

export function readPublicAccessText(text: string | undefined): PublicAccessBlock {
  const names = new Set(text?.split(' '));
  return new Set(SWITCHES.filter((name) => names.has(name)));
}

/** Canned lists that give something to everybody, or to every user. Source: S3 user guide, "Canned ACL". */
const PUBLIC_ACLS = ['public-read', 'public-read-write', 'authenticated-read'];

export function isPublicAcl(canned: string | undefined): boolean {
  return canned !== undefined && PUBLIC_ACLS.includes(canned);
}
