import type { Identity, Principal } from '../pfs/identity.ts';
import type { Caller } from '../pfs/model.ts';
import { andThen, type Soon } from '../pfs/soon.ts';
import { type Credential, parseCredential } from './auth/credential.ts';
import { type FormCredential, parseFormCredential, verifyForm } from './auth/form.ts';
import { verifySigV2 } from './auth/sigv2.ts';
import { verifySigV4 } from './auth/sigv4.ts';
import { S3Error } from './errors.ts';
import type { HttpRequest } from './http.ts';
import type { S3Request } from './request.ts';

/** What pachd can be told: no token is anything else. */
const TOKEN = /^[ -~]+$/;

export interface Authenticated {
  readonly principal: Principal;
  readonly caller: Caller;
  /** What the body may be signed with; a form's signature says nothing of its file. */
  readonly credential: Credential;
}

/**
 * Who sends the request. The access key is the Pachyderm token, and so is the secret key. Where auth is off a request needs no
 * signature, but one that is sent must be right.
 * @throws S3Error of a signature, AccessDenied for none; Failure unknown-token
 */
export function authenticate(
  request: S3Request,
  identity: Identity,
  region: string,
  nowMs: number,
): Soon<Authenticated> {
  const { http, form } = request;
  const credential = form === undefined ? parseCredential(http, nowMs) : parseFormCredential(form.fields, nowMs);
  const token = credential.kind === 'anonymous' ? undefined : credential.accessKey;
  if (token !== undefined && !TOKEN.test(token)) throw new S3Error('InvalidAccessKeyId');
  const caller = new Sender(token, http);
  const right = signatureIsRight(credential, request, region);
  // A key that nobody knows is said to be so, whatever was made with it.
  return andThen(identity.whoIs(caller), (principal) => {
    if (!right) throw new S3Error('SignatureDoesNotMatch');
    if (principal === undefined) throw new S3Error('AccessDenied');
    return { principal, caller, credential: credential.kind === 'form' ? { kind: 'anonymous' } : credential };
  });
}

/** Its signal is made when it is asked for: it is costly, and a request that is answered from memory needs none. A class for its getter, see `edge`. */
class Sender implements Caller {
  readonly token: string | undefined;
  readonly #http: HttpRequest;

  constructor(token: string | undefined, http: HttpRequest) {
    this.token = token;
    this.#http = http;
  }

  get signal(): AbortSignal {
    return this.#http.signal;
  }
}

function signatureIsRight(credential: Credential | FormCredential, request: S3Request, region: string): boolean {
  switch (credential.kind) {
    case 'anonymous':
      return true;
    case 'sigv4':
      refuseOtherRegion(credential.scope.region, region);
      return verifySigV4(credential, request.http, credential.accessKey);
    case 'sigv2':
      return verifySigV2(credential, request.http, credential.accessKey, hostBucketOf(request));
    case 'form':
      if (credential.scope !== undefined) refuseOtherRegion(credential.scope.region, region);
      return verifyForm(credential, credential.accessKey);
  }
}

function refuseOtherRegion(given: string, region: string): void {
  if (region === '' || given === region) return;
  throw new S3Error('AuthorizationHeaderMalformed', {
    message: `The authorization header is malformed; the region '${given}' is wrong; expecting '${region}'`,
    elements: [['Region', region]],
  });
}

/** Version 2 signs a bucket that the host names as a part of the path. */
function hostBucketOf({ target }: S3Request): string | undefined {
  return target.scope !== 'service' && target.hosted ? target.bucket : undefined;
}
