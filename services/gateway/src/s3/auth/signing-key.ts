import { createHmac, hash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SigningScope } from './credential.ts';

/** A day and region of a few thousand users; an entry is some 200 bytes. */
const KEYS_MAX = 4096;

// A token is a password: the map is keyed by a hash of it, salted anew in every process.
const salt = randomBytes(32).toString('latin1');
const keys = new LRUCache<string, Buffer>({ max: KEYS_MAX });

/** The key that signs all of a day's requests of a secret key (S3 API reference, "Calculate signature"). Four HMACs, so it is kept. */
export function signingKey(secretKey: string, scope: SigningScope): Buffer {
  const id = hash('sha256', `${salt}${scope.date}/${scope.region}/${scope.service}\n${secretKey}`, 'base64');
  const known = keys.get(id);
  if (known !== undefined) {
    return known;
  }
  const dateKey = hmac(`AWS4${secretKey}`, scope.date);
  const regionKey = hmac(dateKey, scope.region);
  const serviceKey = hmac(regionKey, scope.service);
  const key = hmac(serviceKey, 'aws4_request');
  keys.set(id, key);
  return key;
}

/** `date/region/service/aws4_request`, as it stands in strings to sign. */
export function formatScope(scope: SigningScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
