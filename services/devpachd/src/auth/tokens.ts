import { createHash } from 'node:crypto';
import { newId } from '../store/commits.ts';
import type { Db } from '../store/db.ts';
import { PfsError, refused } from '../store/errors.ts';
import { ROOT } from './bindings.ts';

const ROOT_TOKEN = 'iamroot';
const ROBOT = 'robot:';

export interface Caller {
  readonly principal: string;
  /** Milliseconds since 1970; 0: the token is for ever. */
  readonly expiresAt: number;
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export function createRootToken(db: Db): void {
  db.tokens.put(keyOf(ROOT_TOKEN), { subject: ROOT, expiresAt: 0 });
}

/** Who a token is. Throws as pachd does without a token, and for one that is unknown or out of date. */
export function authenticate(db: Db, token: string | undefined): Caller {
  if (token === undefined) throw new PfsError('unauthenticated', 'no authentication token (try logging in)');
  const found = db.tokens.get(keyOf(token));
  if (!found) {
    throw new PfsError('unauthenticated', 'provided auth token is corrupted or has expired (try logging in again)');
  }
  if (found.expiresAt !== 0 && found.expiresAt <= Date.now()) {
    throw new PfsError('internal', 'token expiration is in the past');
  }
  return { principal: found.subject, expiresAt: found.expiresAt };
}

/** Only inside a transaction. */
export function createRobotToken(db: Db, robot: string, ttlSeconds: number): string {
  const name = robot.startsWith(ROBOT) ? robot.slice(ROBOT.length) : robot;
  if (name.includes(':')) throw refused("robot names cannot contain colons (':')");
  const token = newId();
  const expiresAt = ttlSeconds > 0 ? Date.now() + ttlSeconds * 1000 : 0;
  db.tokens.put(keyOf(token), { subject: ROBOT + name, expiresAt });
  return token;
}

/** How many tokens went. Only inside a transaction. */
export function revokeToken(db: Db, token: string): number {
  if (!db.tokens.get(keyOf(token))) return 0;
  db.tokens.remove(keyOf(token));
  return 1;
}
