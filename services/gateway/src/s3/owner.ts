import { type Xml, xmlElement } from './wire/xml.ts';

export const OWNER_ID = '0'.repeat(32);
export const OWNER_NAME = 'pachyderm';

/** pachd does not say who owns what; S3's clients want an owner, so everything has the same. */
export function ownerElement(tag: 'Owner' | 'Initiator' = 'Owner'): Xml {
  return xmlElement(tag, [xmlElement('ID', OWNER_ID), xmlElement('DisplayName', OWNER_NAME)]);
}
