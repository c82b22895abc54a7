import type { Identity, Principal } from '../pfs/identity.ts';
import type { Caller } from '../pfs/model.ts';
import { type Credential, parseCredential } from './auth/credential.ts';
import { verifySigV2 } from './auth/sigv2.ts';
import { verifySigV4 } from './auth/sigv4.ts';
import { S3Error } from './errors.ts';
import type { HttpRequest } from './http.ts';

export interface Authenticated {
  readonly principal: Principal;
  readonly caller: Caller;
  readonly credential: Credential;
}

/**
 * Who sends the request. The access key is the Pachyderm token, and so is the secret key. Where auth is off a request needs no
 * signature, but one that is sent must be right.
 * @throws S3Error of a signature, AccessDenied for none; Failure unknown-token
 */
export async function authenticate(
  http: HttpRequest,
  identity: Identity,
  region: string,
  nowMs: number,
): Promise<Authenticated> {
  const credential = parseCredential(http, nowMs);
  const token = credential.kind === 'anonymous' ? undefined : credential.accessKey;
  const caller: Caller = {
    token,
    // A signal is costly, and a request that is answered from memory needs none.
    get signal() {
      return http.signal;
    },
  };
  const right = signatureIsRight(credential, http, region);
  // A key that nobody knows is said to be so, whatever was made with it.
  const principal = await identity.whoIs(caller);
  if (!right) throw new S3Error('SignatureDoesNotMatch');
  if (principal === undefined) throw new S3Error('AccessDenied');
  return { principal, caller, credential };
}

function signatureIsRight(credential: Credential, http: HttpRequest, region: string): boolean {
  switch (credential.kind) {
    case 'anonymous':
      return true;
    case 'sigv4':
      if (region !== '' && credential.scope.region !== region) {
        throw new S3Error('AuthorizationHeaderMalformed', {
          message: `The authorization header is malformed; the region '${credential.scope.region}' is wrong; expecting '${region}'`,
          elements: [['Region', region]],
        });
      }
      return verifySigV4(credential, http, credential.accessKey);
    case 'sigv2':
      return verifySigV2(credential, http, credential.accessKey);
  }
}
