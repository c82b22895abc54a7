import { S3Error } from '../errors.ts';

/** What x-amz-content-sha256 says of the body. */
export type PayloadHash =
  | { readonly kind: 'sha256'; readonly hex: string }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'streaming'; readonly signed: boolean; readonly trailer: boolean };

/**
 * Sources: S3 API reference, "Signature calculations for the authorization header: transferring payload in multiple chunks" and "… including
 * trailing headers".
 * @throws S3Error InvalidArgument for another value; UnsupportedSignature for chunks signed by ECDSA.
 */
export function parsePayloadHash(value: string): PayloadHash {
  switch (value) {
    case 'UNSIGNED-PAYLOAD':
      return { kind: 'unsigned' };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'streaming', signed: true, trailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'streaming', signed: true, trailer: true };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'streaming', signed: false, trailer: true };
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      throw new S3Error('UnsupportedSignature');
    default:
      if (/^[0-9a-fA-F]{64}$/.test(value)) {
        return { kind: 'sha256', hex: value.toLowerCase() };
      }
      throw new S3Error('InvalidArgument', {
        message:
          'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.',
        elements: [['ArgumentName', 'x-amz-content-sha256']],
      });
  }
}
