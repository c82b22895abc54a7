declare const written: unique symbol;

/** XML that is already written and escaped. Only this module makes it, so that nothing is escaped twice, or not at all. */
export type Xml = string & { readonly [written]: true };

/** What stands in an element: text, which is escaped here, or elements. Undefined elements are left out. */
export type XmlContent = string | number | boolean | readonly (Xml | undefined)[];

/** One element. Attribute values are escaped. */
export function xmlElement(
  name: string,
  content: XmlContent,
  attributes: readonly (readonly [name: string, value: string])[] = [],
): Xml {
  let tag = name;
  for (const [attribute, value] of attributes) {
    tag += ` ${attribute}="${escapeXml(value)}"`;
  }
  return `<${tag}>${writeContent(content)}</${name}>` as Xml;
}

/** A whole document in UTF-8, with the declaration that S3 sends. `namespace` becomes the xmlns of the root. */
export function xmlDocument(
  root: string,
  namespace: string | undefined,
  children: readonly (Xml | undefined)[],
): Buffer {
  const xmlns = namespace === undefined ? '' : ` xmlns="${escapeXml(namespace)}"`;
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${xmlns}>${writeContent(children)}</${root}>`;
  return Buffer.from(text, 'utf8');
}

function writeContent(content: XmlContent): string {
  if (typeof content === 'string') {
    return escapeXml(content);
  }
  if (typeof content === 'object') {
    let text = '';
    for (const child of content) {
      text += child ?? '';
    }
    return text;
  }
  return String(content);
}

// With the u flag, \p{Cs} is a surrogate without its other half: such a string has no UTF-8.
// \p{Cc} is C0, DEL and C1.
const SPECIAL = /[&<>"'\p{Cc}\p{Cs}\ufffe\uffff]/u;
const SPECIALS = new RegExp(SPECIAL, 'gu');

/**
 * Text for an element or an attribute. Control characters become numeric references, as S3 writes them: XML 1.0 knows no
 * other way, and a client that cannot read them asks for `encoding-type=url`. What even a reference cannot name becomes U+FFFD.
 */
export function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    case "'":
      return '&apos;';
    case '\0':
    case '\ufffe':
    case '\uffff':
      return '\ufffd';
    default: {
      const code = character.charCodeAt(0);
      return code >= 0xd800 ? '\ufffd' : `&#x${code.toString(16).toUpperCase()};`;
    }
  }
}
