import type { Script } from './script.ts';

/**
 * What Redis does for a branch, all of whose keys are in one slot: `v`, a nonce that every change renews; `h`, the state, with
 * its time to live; `d:COMMIT`, what a commit changed; `t`, the writers' turn; `w`, who waits for it; `r`, who looks the branch up; `o:COMMIT`, who
 * wrote last into an open commit.
 */

/** A nonce outlives every look-up; one that is gone only refuses a store. */
const NONCE_MS = 600_000;
/** Who looks a branch up does it for the fleet, for so long. */
const LOOKING_MS = 200;
/** Who wrote last into an open commit; one that is gone makes the next writer look into the commit again. */
const MARK_MS = 3_600_000;
/** Who asked for the turn and did not get it comes before all others, if it asks again within this time. */
const WAITING_MS = 100;

function script(name: string, answered: Script['answered'], body: string): Script {
  return { name, keys: 'era', answered, source: `#!lua\n${body.trim()}\n` };
}

/** Keys v, h, r; a fresh nonce. Gives nonce, seconds, microseconds, whether the caller is to look the branch up, state, head, pending. */
export const READ = script(
  'read',
  'at-once',
  `
local v = redis.call('GET', KEYS[1])
if not v then
  v = ARGV[1]
  redis.call('SET', KEYS[1], v, 'PX', ${NONCE_MS})
end
local time = redis.call('TIME')
local h = redis.call('HMGET', KEYS[2], 'state', 'head', 'pending')
local looks = 1
if not h[1] and not redis.call('SET', KEYS[3], '', 'NX', 'PX', ${LOOKING_MS}) then looks = 0 end
return {v, time[1], time[2], looks, h[1], h[2], h[3]}`,
);

/** Keys v, h, t, r; the nonce and the time of the read, a fresh nonce, the time to live, state, head, pending. An empty state: none. */
export const STORE = script(
  'store',
  'at-once',
  `
redis.call('DEL', KEYS[4])
if ARGV[5] == '' or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local left = math.floor(ARGV[2] + ARGV[4] - (time[1] * 1000 + time[2] / 1000))
if left <= 0 then return 0 end
local pinned = redis.call('HGET', KEYS[3], 'head')
if pinned and pinned ~= ARGV[6] then return 0 end
redis.call('HSET', KEYS[2], 'state', ARGV[5], 'head', ARGV[6], 'pending', ARGV[7])
redis.call('PEXPIRE', KEYS[2], left)
redis.call('SET', KEYS[1], ARGV[3], 'PX', ${NONCE_MS})
return 1`,
);

/** Keys v, h, t, the commit's delta; owner, a fresh nonce, parent, commit, delta, its time to live. */
export const PUBLISH = script(
  'publish',
  'replicated',
  `
redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[6])
local h = redis.call('HMGET', KEYS[2], 'head', 'pending')
if h[1] == ARGV[3] then
  local pending = h[2] == '' and ARGV[4] or h[2] .. ' ' .. ARGV[4]
  redis.call('HSET', KEYS[2], 'head', ARGV[4], 'pending', pending)
else
  redis.call('DEL', KEYS[2])
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ${NONCE_MS})
if redis.call('HGET', KEYS[3], 'owner') == ARGV[1] then redis.call('DEL', KEYS[3]) end
return 1`,
);

/** Keys v, h, t; a fresh nonce, and who gives the turn back with it, or nothing. */
export const INVALIDATE = script(
  'invalidate',
  'replicated',
  `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ${NONCE_MS})
redis.call('DEL', KEYS[2])
if ARGV[2] ~= '' and redis.call('HGET', KEYS[3], 'owner') == ARGV[2] then redis.call('DEL', KEYS[3]) end
return 1`,
);

/** Key h. */
export const PENDING = script('pending', 'at-once', `return redis.call('HGET', KEYS[1], 'pending')`);

/** The deltas' keys. Gives each, or nothing for it. */
export const DELTAS = script('deltas', 'at-once', `return redis.call('MGET', unpack(KEYS))`);

/** Keys t, w; owner, lease. Who has asked in vain gets it before who has just given it back. */
export const TAKE = script(
  'take-turn',
  'at-once',
  `
local first = redis.call('GET', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 1 or (first and first ~= ARGV[1]) then
  if not first or first == ARGV[1] then redis.call('SET', KEYS[2], ARGV[1], 'PX', ${WAITING_MS}) end
  return 0
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
);

/** Key t; owner, lease, and the head to be pinned, or nothing. Gives whether the turn is still the owner's. */
export const KEEP = script(
  'keep-turn',
  'at-once',
  `
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'head', ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
);

/** The key of an open commit; who is about to write into it. Gives who did so last. */
export const MARK = script(
  'mark',
  'at-once',
  `
local last = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ${MARK_MS})
return last`,
);

/** Key t; owner. */
export const LEAVE = script(
  'leave-turn',
  'at-once',
  `
if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`,
);
