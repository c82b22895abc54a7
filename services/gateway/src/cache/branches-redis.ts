import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { countCache } from '../telemetry/metrics.ts';
import { outsideSpans } from '../telemetry/trace.ts';
import { DELTAS, INVALIDATE, KEEP, LEAVE, MARK, PENDING, PUBLISH, READ, STORE, TAKE } from './branch-scripts.ts';
import { inRedisSpan } from './redis-span.ts';
import { CacheLost, type Scripts } from './script.ts';
import type { BranchCache, BranchRead, CachedState, Turn } from './shared.ts';

/** A turn that is not renewed for so long is somebody else's: a worker may have died with it. */
const TURN_LEASE_MS = 3_000;
const TURN_RENEWAL_MS = 1_000;
/** What a holder must have left of its turn to go on, so that clocks of unequal speed do no harm. */
const TURN_MARGIN_MS = 300;
const TURN_WAIT_MAX_MS = 30_000;
/** Between two tries; spread, so that those who wait do not come together. */
const TURN_AGAIN_MS = 10;

/** Commits finish long before; a reader that misses one waits for that. */
const DELTA_MS = 600_000;
/** What a worker keeps of deltas that it has read: they never change. */
const DELTAS_MAX_BYTES = 64 << 20;
const BRANCHES_MAX = 10_000;

/** What nonces of this process begin with, and how many there were. */
const NONCES = randomBytes(12).toString('base64url');
let nonces = 0;

/** How deltas stand in Redis. */
export interface DeltaCodec<Delta> {
  /** @param place what it stands under, so that it is believed nowhere else */
  encode(delta: Delta, place: string): Uint8Array;
  /** undefined: it is not what was encoded for that place. */
  decode(bytes: Uint8Array, place: string): Delta | undefined;
}

/** A state as Redis gave it, kept so that equal answers are one object. */
interface Known<State> {
  readonly text: string;
  readonly state: State;
}

/** The branch cache of a fleet. States are JSON there. @param ttlMs how long a state may be believed; 0: never kept */
export function createRedisBranchCache<State extends CachedState, Delta>(
  scripts: Scripts,
  codec: DeltaCodec<Delta>,
  ttlMs: number,
): BranchCache<State, Delta> {
  const count = countCache('branch');
  const countDeltas = countCache('delta');
  const states = new LRUCache<string, Known<State>>({ max: BRANCHES_MAX });
  const deltas = new LRUCache<string, { readonly delta: Delta; readonly sizeBytes: number }>({
    maxSize: DELTAS_MAX_BYTES,
    sizeCalculation: ({ sizeBytes }) => sizeBytes,
  });
  const reading = new Map<string, Promise<BranchRead<State, Delta>>>();

  const stateOf = (branch: string, state: string, head: string, pending: string): State => {
    const text = `${head} ${pending} ${state}`;
    const known = states.get(branch);
    if (known?.text === text) return known.state;
    const read: State = { ...(JSON.parse(state) as State), headId: head, pending: idsOf(pending) };
    states.set(branch, { text, state: read });
    return read;
  };

  /** The deltas of commits that can be had. */
  const deltasOf = async (branch: string, commitIds: readonly string[]): Promise<ReadonlyMap<string, Delta>> => {
    const found = new Map<string, Delta>();
    const missing: string[] = [];
    for (const commitId of commitIds) {
      const known = deltas.get(placeOf(branch, commitId));
      countDeltas.asked(known !== undefined);
      if (known === undefined) missing.push(commitId);
      else found.set(commitId, known.delta);
    }
    if (missing.length === 0) return found;
    const answer = await scripts.run(DELTAS, slotOf(branch), missing.map(deltaName), []);
    for (const [at, bytes] of arrayOf(answer).entries()) {
      const commitId = missing[at];
      if (!(bytes instanceof Uint8Array) || commitId === undefined) continue;
      const place = placeOf(branch, commitId);
      const delta = codec.decode(bytes, place);
      if (delta === undefined) continue;
      deltas.set(place, { delta, sizeBytes: bytes.length + place.length });
      found.set(commitId, delta);
    }
    return found;
  };

  const readNow = async (branch: string): Promise<BranchRead<State, Delta>> => {
    const answer = arrayOf(await scripts.run(READ, slotOf(branch), ['v', 'h', 'r'], [newNonce()]));
    const [nonce, seconds, micros, looks, state, head, pending] = answer.map(textOf);
    const nowMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
    const read = { nonce: nonce ?? '', nowMs, state: undefined, deltas: new Map(), looking: looks === '0' };
    if (state === undefined || head === undefined) return read;
    const known = stateOf(branch, state, head, pending ?? '');
    const there = await deltasOf(branch, known.pending);
    return { ...read, deltas: there, state: there.size === known.pending.length ? known : undefined };
  };

  /**
   * Who asks in one turn of the event loop shares one READ, and who asks later never joins it: it may have been answered before
   * what the later one must see.
   */
  const readShared = (branch: string): Promise<BranchRead<State, Delta>> => {
    let read = reading.get(branch);
    if (read === undefined) {
      read = new Promise((resolve, reject) => {
        setImmediate(() => {
          reading.delete(branch);
          outsideSpans(() => readNow(branch)).then(resolve, reject);
        });
      });
      reading.set(branch, read);
    }
    return read;
  };

  return {
    read: (branch) => inRedisSpan(READ, () => readShared(branch)),

    // What a worker has read may have been overtaken by another.
    atHand: () => undefined,

    pending: async (branch) => idsOf(textOf(await scripts.run(PENDING, slotOf(branch), ['h'], []))),

    delta: async (branch, commitId) => (await deltasOf(branch, [commitId])).get(commitId),

    async store(branch, nonce, readAtMs, state) {
      const { headId = '', pending = [] } = state ?? {};
      const text = state === undefined ? '' : JSON.stringify(state);
      const values = [nonce, readAtMs, newNonce(), ttlMs, text, headId, pending.join(' ')];
      const stored = await scripts.run(STORE, slotOf(branch), ['v', 'h', 't', 'r'], values);
      if (state !== undefined && stored === 0) count.refused();
      return stored === 1;
    },

    async invalidate(branch) {
      await scripts.run(INVALIDATE, slotOf(branch), ['v', 'h', 't'], [newNonce(), '']);
    },

    async takeTurn(branch) {
      const owner = newNonce();
      for (const endMs = performance.now() + TURN_WAIT_MAX_MS; performance.now() < endMs; ) {
        const askedMs = performance.now();
        if ((await scripts.run(TAKE, slotOf(branch), ['t', 'w'], [owner, TURN_LEASE_MS])) === 1) {
          return turnOf(branch, owner, askedMs);
        }
        await sleep(TURN_AGAIN_MS * (0.5 + Math.random()));
      }
      return undefined;
    },
  };

  function turnOf(branch: string, owner: string, takenMs: number): Turn<Delta> {
    const slot = slotOf(branch);
    let heldUntilMs = takenMs + TURN_LEASE_MS - TURN_MARGIN_MS;
    const keep = async (headId: string): Promise<boolean> => {
      const askedMs = performance.now();
      const held = (await scripts.run(KEEP, slot, ['t'], [owner, TURN_LEASE_MS, headId])) === 1;
      heldUntilMs = held ? askedMs + TURN_LEASE_MS - TURN_MARGIN_MS : 0;
      return held;
    };
    // What the turn is worth without its renewal is told by `holds`.
    const renewal = setInterval(() => void keep('').catch(ignoreLost), TURN_RENEWAL_MS);
    return {
      holds: () => performance.now() < heldUntilMs,
      pin: keep,
      mark: async (commitId, writer) => textOf(await scripts.run(MARK, slot, [`o:${commitId}`], [writer])),
      async publish(parentId, commitId, delta) {
        clearInterval(renewal);
        const place = placeOf(branch, commitId);
        const bytes = codec.encode(delta, place);
        deltas.set(place, { delta, sizeBytes: bytes.length + place.length });
        const values = [owner, newNonce(), parentId, commitId, bytes, DELTA_MS];
        await scripts.run(PUBLISH, slot, ['v', 'h', 't', deltaName(commitId)], values);
      },
      async end(written) {
        clearInterval(renewal);
        if (written === 'written') await scripts.run(INVALIDATE, slot, ['v', 'h', 't'], [newNonce(), owner]);
        else await scripts.run(LEAVE, slot, ['t'], [owner]);
      },
    };
  }
}

function idsOf(pending: string | undefined): readonly string[] {
  return pending === undefined || pending === '' ? [] : pending.split(' ');
}

function slotOf(branch: string): string {
  return `branch ${branch}`;
}

function deltaName(commitId: string): string {
  return `d:${commitId}`;
}

function placeOf(branch: string, commitId: string): string {
  return `${branch} ${commitId}`;
}

/** What nobody has named before, here or elsewhere. One is made for each read, so it is counted and not drawn. */
function newNonce(): string {
  nonces += 1;
  return `${NONCES}.${nonces.toString(36)}`;
}

function arrayOf(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}

function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString();
  return value === null || value === undefined ? undefined : String(value);
}

function ignoreLost(error: unknown): void {
  if (!(error instanceof CacheLost)) throw error;
}
