import { refuseEncryption } from './encryption.ts';
import { S3Error } from './errors.ts';
import type { HttpHeaders } from './http.ts';
import { OWNER_ID } from './owner.ts';

/**
 * Headers by which a client is promised something that tusk does not do: to answer well and do otherwise would lose data, or leave
 * it unprotected. What merely describes an object (its type, its tags, its class) is accepted and not kept: docs/compatibility.md.
 */
const BROKEN_PROMISES =
  /^x-amz-(?:write-offset-bytes|object-lock-(?:mode|retain-until-date|legal-hold)|copy-source-server-side-encryption-customer-(?:algorithm|key|key-md5)|rename-source)$/;

/** Of a new bucket: whether objects could be locked in it, and who would own them; what every bucket is has to be said of it. */
const OF_BUCKETS: ReadonlyMap<string, string> = new Map([
  ['x-amz-bucket-object-lock-enabled', 'false'],
  ['x-amz-object-ownership', 'BucketOwnerEnforced'],
]);

/** Who asks for another owner's bucket means another bucket. Source: S3 user guide, "Verifying bucket ownership with bucket owner condition". */
const EXPECTED_OWNERS = ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner'];

/** @throws S3Error NotImplemented, AccessDenied, and those of `refuseEncryption` */
export function refuseBrokenPromises(headers: HttpHeaders): void {
  for (const [name, value] of headers.entries()) {
    if (name.startsWith('x-amz-') && (BROKEN_PROMISES.test(name) || (OF_BUCKETS.get(name) ?? value) !== value)) {
      throw new S3Error('NotImplemented', { elements: [['Header', name]] });
    }
  }
  refuseEncryption(headers);
  for (const name of EXPECTED_OWNERS) {
    const owner = headers.get(name);
    if (owner !== undefined && owner !== OWNER_ID) throw new S3Error('AccessDenied');
  }
}
