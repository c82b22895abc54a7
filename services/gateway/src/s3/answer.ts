import type { S3Error } from './errors.ts';
import type { HttpAnswer } from './http.ts';
import { type Xml, xmlDocument, xmlElement } from './wire/xml.ts';

export type HeaderField = readonly [name: string, value: string];

export const XML_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

export const XML_TYPE: HeaderField = ['Content-Type', 'application/xml'];

export function emptyAnswer(status: number, headers: readonly HeaderField[] = []): HttpAnswer {
  return { status, headers, body: { kind: 'empty' } };
}

export function xmlAnswer(
  root: string,
  children: readonly (Xml | undefined)[],
  headers: readonly HeaderField[] = [],
): HttpAnswer {
  return {
    status: 200,
    headers: [XML_TYPE, ...headers],
    body: { kind: 'bytes', bytes: xmlDocument(root, XML_NAMESPACE, children) },
  };
}

/** Source: S3 API reference, "Error responses". A HEAD's error has no body, so that its code stands only in the status. */
export function errorAnswer(error: S3Error, method: string, resource: string, requestId: string): HttpAnswer {
  const headers = [XML_TYPE, ...error.headers];
  if (method === 'HEAD') return { status: error.status, headers, body: { kind: 'empty' } };
  const bytes = xmlDocument('Error', undefined, [
    xmlElement('Code', error.code),
    xmlElement('Message', error.message),
    ...error.elements.map(([name, value]) => xmlElement(name, value)),
    xmlElement('Resource', resource),
    xmlElement('RequestId', requestId),
  ]);
  return { status: error.status, headers, body: { kind: 'bytes', bytes } };
}
