import { hash } from 'node:crypto';
import { S3Error } from './errors.ts';
import type { HttpHeaders } from './http.ts';

const METHOD = 'x-amz-server-side-encryption';
const KEY_ID = `${METHOD}-aws-kms-key-id`;
const CUSTOMER = `${METHOD}-customer-`;
const METHODS = ['AES256', 'aws:kms', 'aws:kms:dsse', 'aws:fsx'];
const WITH_CUSTOMER_KEY = 'Requests specifying Server Side Encryption with Customer provided keys must provide';

/**
 * Encryption by the server is the object store's of pachd, so that its keys are accepted and not looked at; a key of the client's would have
 * to be used. Source: S3 user guide, "Using server-side encryption with customer-provided keys".
 * @throws S3Error InvalidArgument for what contradicts itself, as S3 does; NotImplemented for a key of the client's
 */
export function refuseEncryption(headers: HttpHeaders): void {
  const method = headers.get(METHOD);
  if (method !== undefined && !METHODS.includes(method))
    throw invalid('The encryption method specified is not supported');
  if (headers.get(KEY_ID) !== undefined && (method === undefined || method === 'AES256')) {
    throw invalid(`${KEY_ID} is only for requests with ${METHOD}: aws:kms`);
  }
  const algorithm = headers.get(`${CUSTOMER}algorithm`);
  const key = headers.get(`${CUSTOMER}key`);
  const md5 = headers.get(`${CUSTOMER}key-md5`);
  if (algorithm === undefined && key === undefined && md5 === undefined) return;
  if (method !== undefined) {
    throw invalid(
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
    );
  }
  if (algorithm !== 'AES256') throw invalid(`${WITH_CUSTOMER_KEY} a valid encryption algorithm.`);
  const bytes = Buffer.from(key ?? '', 'base64');
  if (bytes.length !== 32) throw invalid(`${WITH_CUSTOMER_KEY} an appropriate secret key.`);
  if (md5 === undefined) throw invalid(`${WITH_CUSTOMER_KEY} the client calculated MD5 of the secret key.`);
  if (hash('md5', bytes, 'base64') !== md5) {
    throw invalid('The calculated MD5 hash of the key did not match the hash that was provided.');
  }
  throw new S3Error('NotImplemented', { elements: [['Header', `${CUSTOMER}key`]] });
}

/** How an object is encrypted is said when it is written. Source: S3 API reference, GetObject. @throws S3Error InvalidArgument */
export function refuseEncryptionOfRead(headers: HttpHeaders): void {
  if (headers.get(METHOD) !== undefined) throw invalid(`${METHOD} header is not supported for this operation.`);
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidArgument', { message });
}
