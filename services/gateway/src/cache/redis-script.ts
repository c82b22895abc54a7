import { createHash } from 'node:crypto';
import type { Command } from './redis-connection.ts';
import type { Script, ScriptValue } from './script.ts';

/** One call of a script. */
export interface Call {
  readonly script: Script;
  readonly slot: string;
  readonly names: readonly string[];
  readonly values: readonly ScriptValue[];
}

/** The server that a call goes to, as it was when the connection to it began. */
export interface Era {
  /** What keys carry. */
  readonly era: string;
  readonly replicationId: string;
}

interface Prepared {
  readonly source: string;
  readonly sha: string;
}

const SHEBANG = '#!lua\n';
/** Begins the answer of a script whose keys carry an era that is over. */
const OTHER_ERA = 'OTHERERA';

/**
 * The era stands in the keys, and is that of the connection's beginning. A server may begin another while the connection stays: it
 * became a replica and the primary again, or was long without a replica. Its run id stays with the connection; its replication id is
 * compared here, in the same moment as all that follows.
 */
const SAME_ERA = `if not string.find(redis.call('INFO', 'replication'), 'master_replid:' .. table.remove(ARGV), 1, true) then return redis.error_reply('${OTHER_ERA} the replication id has changed') end\n`;

const prepared = new WeakMap<Script, Prepared>();

/** @param how by its hash, which Redis may not know, or whole */
export function commandFor({ script, slot, names, values }: Call, server: Era, how: 'by-hash' | 'whole'): Command {
  const { source, sha } = prepare(script);
  const keys = names.map((name) => keyFor(script, slot, server, name));
  const args = values.map((value) => (value instanceof Uint8Array ? bufferOf(value) : value));
  // What the first line of the script takes off again.
  const last = script.keys === 'era' ? [server.replicationId] : [];
  const rest = [keys.length, ...keys, ...args, ...last];
  return how === 'by-hash' ? ['evalsha', sha, ...rest] : ['eval', source, ...rest];
}

/** What a call has of bytes, about. */
export function bytesOf({ values }: Call): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === 'number' ? 8 : value.length), 0);
}

/**
 * What became of a call that Redis refused. 'unknown-script' and 'elsewhere' were not done: Redis looks at the hash, at the slot and at
 * its own role before it runs anything. 'other-server': this is not the primary any more, or not in the era that the keys carry.
 */
export type Refusal = 'unknown-script' | 'other-server' | 'elsewhere' | 'not-now' | 'faulty-script';

const REFUSALS: Readonly<Record<string, Refusal>> = {
  NOSCRIPT: 'unknown-script',
  [OTHER_ERA]: 'other-server',
  READONLY: 'other-server',
  MASTERDOWN: 'other-server',
  UNBLOCKED: 'other-server',
  LOADING: 'other-server',
  NOAUTH: 'other-server',
  MOVED: 'elsewhere',
  ASK: 'elsewhere',
  TRYAGAIN: 'elsewhere',
  CLUSTERDOWN: 'elsewhere',
  NOREPLICAS: 'not-now',
  OOM: 'not-now',
  MISCONF: 'not-now',
  BUSY: 'not-now',
  NOPERM: 'not-now',
};

/** @param text Redis' answer: a code and a sentence */
export function refusalOf(text: string): Refusal {
  return REFUSALS[text.split(' ', 1)[0] ?? ''] ?? 'faulty-script';
}

function prepare(script: Script): Prepared {
  const known = prepared.get(script);
  if (known !== undefined) return known;
  if (!script.source.startsWith(SHEBANG)) throw new Error(`the script ${script.name} does not begin with #!lua`);
  const body = script.source.slice(SHEBANG.length);
  const source = SHEBANG + (script.keys === 'era' ? SAME_ERA : '') + body;
  const made = { source, sha: createHash('sha1').update(source).digest('hex') };
  prepared.set(script, made);
  return made;
}

/** The braces make Redis Cluster keep all keys of a slot on one server. */
function keyFor(script: Script, slot: string, server: Era, name: string): string {
  return `tusk:{${slot}}:${script.keys === 'era' ? server.era : 'lasting'}:${name}`;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
