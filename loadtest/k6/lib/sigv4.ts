// Signature version 4 for k6, whose JavaScript has no Node and no WebCrypto hash that is synchronous.
// Source: S3 API reference, "Signature calculations for the authorization header: transferring payload in a single chunk".
import { hmac, sha256 } from 'k6/crypto';

export interface Signer {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface Unsigned {
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'HEAD' | 'POST';
  /** host:port, as in the URL. */
  readonly host: string;
  /** Percent-encoded, without a query. */
  readonly path: string;
  readonly body: string;
}

const REGION = 'us-east-1';

/** The header fields of a request that the signer signs now. */
export function signedHeaders({ accessKey, secretKey }: Signer, request: Unsigned): Record<string, string> {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = stamp.slice(0, 8);
  const payloadHash = sha256(request.body, 'hex');
  const fields: Record<string, string> = {
    host: request.host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': stamp,
  };
  const names = Object.keys(fields).sort();
  const lines = names.map((name) => `${name}:${fields[name]}\n`).join('');
  const canonical = `${request.method}\n${request.path}\n\n${lines}\n${names.join(';')}\n${payloadHash}`;
  const scope = `${day}/${REGION}/s3/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${sha256(canonical, 'hex')}`;
  let key: string | ArrayBuffer = `AWS4${secretKey}`;
  for (const part of [day, REGION, 's3', 'aws4_request']) key = hmac('sha256', key, part, 'binary');
  const signature = hmac('sha256', key, toSign, 'hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  // k6 sets Host itself, from the URL.
  return { authorization, 'x-amz-content-sha256': payloadHash, 'x-amz-date': stamp };
}
