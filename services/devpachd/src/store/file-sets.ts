import { blake2b } from '../content/hash.ts';
import { holdLayers, releaseLayers } from '../files/layers.ts';
import { newId } from './commits.ts';
import type { Db } from './db.ts';
import { notFound, refused } from './errors.ts';
import type { FileSetRecord } from './records.ts';

export const FILE_SET_TTL_MS = 10 * 60 * 1000;
const FILE_SET_TTL_MAX_SECONDS = 1800;

const TOKEN_LENGTH = 32;

/** The token in a file set's id (`TOKEN` or `TOKEN.HASH`). Throws for what cannot be one. */
export function parseFileSetId(id: string): string {
  const token = (id.split('.', 1)[0] ?? '').replaceAll('-', '');
  const length = Buffer.byteLength(token);
  if (length !== TOKEN_LENGTH) {
    const what = length < TOKEN_LENGTH ? 'short' : 'long';
    throw refused(`parsing fileset.Token: too ${what} to be Token len=${length}`);
  }
  const bad = /[^0-9a-fA-F]/u.exec(token);
  if (bad) {
    const code = (bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw refused(`encoding/hex: invalid byte: U+${code} '${bad[0]}'`);
  }
  return token.toLowerCase();
}

/** Makes a set of these layers; it lives so long (0: for ever). Gives its id. Only inside a transaction. */
export function createFileSet(db: Db, layers: readonly number[], ttlMs: number): string {
  const token = newId();
  holdLayers(db, layers);
  putFileSet(db, token, { layers, expiresAt: expiry(ttlMs) });
  return `${token}.${blake2b(Buffer.from(layers.join(' '))).toString('hex')}`;
}

function expiry(ttlMs: number): number {
  return ttlMs === 0 ? 0 : Date.now() + ttlMs;
}

function putFileSet(db: Db, token: string, set: FileSetRecord): void {
  const old = db.fileSets.get(token);
  if (old && old.expiresAt !== 0) db.expiries.remove([old.expiresAt, token]);
  db.fileSets.put(token, set);
  if (set.expiresAt !== 0) db.expiries.put([set.expiresAt, token], true);
}

/** The layers of a set. Like pachd, this does not ask whether its time is over: it is there until it is collected. */
export function openFileSet(db: Db, token: string): readonly number[] {
  const set = db.fileSets.get(token);
  if (!set) throw refused('path does not exist');
  return set.layers;
}

/** Only inside a transaction. */
export function renewFileSet(db: Db, token: string, ttlSeconds: number): void {
  const ttl = BigInt(ttlSeconds) * 1_000_000_000n;
  if (ttlSeconds < 1) throw refused(`ttl (${ttl}) must be at least one second`);
  if (ttlSeconds > FILE_SET_TTL_MAX_SECONDS) {
    throw refused(`ttl (${ttl}) exceeds max ttl (${BigInt(FILE_SET_TTL_MAX_SECONDS) * 1_000_000_000n})`);
  }
  const set = db.fileSets.get(token);
  if (!set) throw notFound(`tracker does not contain item: (fileset/${token})`);
  putFileSet(db, token, { ...set, expiresAt: expiry(ttlSeconds * 1000) });
}

/** The layers of several sets, one upon the other. */
export function stackFileSets(db: Db, tokens: readonly string[]): readonly number[] {
  return tokens.flatMap((token) => {
    const set = db.fileSets.get(token);
    if (!set) throw refused('the operation would create a dangling reference');
    return set.layers;
  });
}

/** Removes the sets whose time is over, and gives how many. Only inside a transaction. */
export function expireFileSets(db: Db, now: number, max: number): number {
  const due = [...db.expiries.getKeys({ end: [now, ''], limit: max })];
  for (const [expiresAt, token] of due) {
    const set = db.fileSets.get(token);
    db.expiries.remove([expiresAt, token]);
    if (!set || set.expiresAt !== expiresAt) continue;
    db.fileSets.remove(token);
    releaseLayers(db, set.layers);
  }
  return due.length;
}
