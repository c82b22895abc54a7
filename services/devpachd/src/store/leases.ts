import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Db } from './db.ts';

/** A lease is given up when its owner has not renewed it for so long. */
export const LEASE_MS = 3000;

/** A process among those that share the folder: where it runs and its number there, so that its death can be seen at once. */
export function newOwner(): string {
  return `${hostname()}/${process.pid}/${randomBytes(6).toString('hex')}`;
}

const ALIVE_PREFIX = 'alive:';
const FORGET_MS = 60_000;

/** Only inside a transaction. */
export function sayAlive(db: Db, owner: string): void {
  db.leases.put(`${ALIVE_PREFIX}${owner}`, { owner, until: Date.now() + LEASE_MS });
}

/** Only inside a transaction. */
export function sayGone(db: Db, owner: string): void {
  db.leases.remove(`${ALIVE_PREFIX}${owner}`);
}

export function isAlive(db: Db, owner: string): boolean {
  const lease = db.leases.get(`${ALIVE_PREFIX}${owner}`);
  if (!lease) return false;
  // A process of this machine that was stopped for a while is not dead.
  return owner.startsWith(`${hostname()}/`) ? !hasDied(owner) : lease.until > Date.now();
}

/** Forgets processes that died long ago without saying so. Only inside a transaction. */
export function forgetTheDead(db: Db): void {
  for (const { key, value } of [...db.leases.getRange({ start: ALIVE_PREFIX, end: `${ALIVE_PREFIX}\uffff` })]) {
    if (value.until < Date.now() - FORGET_MS && !isAlive(db, value.owner)) db.leases.remove(key);
  }
}

/** Certain of processes of this machine only; those of others are given the time of their lease. */
function hasDied(owner: string): boolean {
  const [host, pid] = owner.split('/');
  if (host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Whether the owner could take the lease. */
export function isLeaseFree(db: Db, name: string, owner: string): boolean {
  const held = db.leases.get(name);
  return !held || held.owner === owner || held.until <= Date.now() || hasDied(held.owner);
}

/** Takes or renews a lease. Only inside a transaction. */
export function takeLease(db: Db, name: string, owner: string): boolean {
  const free = isLeaseFree(db, name, owner);
  if (free) db.leases.put(name, { owner, until: Date.now() + LEASE_MS });
  return free;
}

export function holdsLease(db: Db, name: string, owner: string): boolean {
  return db.leases.get(name)?.owner === owner;
}

/** Only inside a transaction. */
export function dropLease(db: Db, name: string, owner: string): void {
  if (holdsLease(db, name, owner)) db.leases.remove(name);
}
