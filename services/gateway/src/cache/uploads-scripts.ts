import type { Script } from './script.ts';
import { COMPLETED_MAX, PARTS_MAX, UPLOADS_MAX } from './uploads.ts';

/**
 * What Redis does for the uploads of a bucket, all of whose keys are in one slot. Time is the server's own.
 *
 * - `records` id -> when it ends, a space, the sealed record; `ends` id by when it is gone, which is later while it is claimed
 * - `claims` id -> token, until when, for how long
 * - `sizes` id -> number of parts; `*`: of all; `parts:ID` the sealed parts by their number
 * - `answers` id -> the sealed answer of a completed one; `answered` id by when it is forgotten
 */
export const KEYS = ['records', 'ends', 'claims', 'sizes', 'answers', 'answered'] as const;

/** How many that are over one call that writes removes with what it does. */
const SWEEP_MAX = 8;
/** Keys of a bucket outlive the last that is in them by so much. */
const SPARE_MS = 900_000;

const PRELUDE = `
local records, ends, claims, sizes, answers, answered = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local parts, id = KEYS[7], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function claimOf(id)
  local text = redis.call('HGET', claims, id)
  if not text then return nil end
  local token, till, lease = string.match(text, '^(%S+) (%d+) (%d+)$')
  return token, tonumber(till), tonumber(lease)
end

-- One that has more time left than it was given is of another server's clock.
local function isClaimed(id)
  local token, till, lease = claimOf(id)
  return token ~= nil and till > now and till - now <= lease
end

-- Keys can be evicted one by one: an upload of which one half is gone is gone.
local function isLive(id)
  local gone = redis.call('ZSCORE', ends, id)
  return gone and redis.call('HEXISTS', records, id) == 1 and (tonumber(gone) > now or isClaimed(id))
end
`;

const CHANGES = `
local function forget(id)
  local size = tonumber(redis.call('HGET', sizes, id) or 0)
  redis.call('HDEL', records, id)
  redis.call('ZREM', ends, id)
  redis.call('HDEL', claims, id)
  redis.call('HDEL', sizes, id)
  if size > 0 and redis.call('HINCRBY', sizes, '*', -size) <= 0 then redis.call('HDEL', sizes, '*') end
end

local function claim(id, token, lease)
  redis.call('HSET', claims, id, token .. ' ' .. string.format('%d', now + lease) .. ' ' .. lease)
  redis.call('ZADD', ends, 'GT', now + lease, id)
  redis.call('PEXPIREAT', parts, now + lease + ${SPARE_MS}, 'GT')
end

-- The parts of those that are over end by themselves.
for _, over in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, ${SWEEP_MAX})) do
  if not isClaimed(over) then forget(over) end
end
for _, over in ipairs(redis.call('ZRANGEBYSCORE', answered, '-inf', now, 'LIMIT', 0, ${SWEEP_MAX})) do
  redis.call('HDEL', answers, over)
  redis.call('ZREM', answered, over)
end

local function keep()
  local last = redis.call('ZRANGE', ends, 0, 0, 'REV', 'WITHSCORES')[2]
  if last then for i = 1, 4 do redis.call('PEXPIREAT', KEYS[i], last + ${SPARE_MS}) end end
  last = redis.call('ZRANGE', answered, 0, 0, 'REV', 'WITHSCORES')[2]
  if last then for i = 5, 6 do redis.call('PEXPIREAT', KEYS[i], last + ${SPARE_MS}) end end
end
`;

const reading = (name: string, body: string): Script => ({
  name: `uploads ${name}`,
  keys: 'lasting',
  answered: 'at-once',
  source: `#!lua\n${PRELUDE}${body}`,
});

const writing = (name: string, body: string): Script => ({
  name: `uploads ${name}`,
  keys: 'lasting',
  answered: 'replicated',
  source: `#!lua\n${PRELUDE}${CHANGES}${body}`,
});

/** id, age in ms, sealed record. Gives 1, or 0 when there are too many. */
export const CREATE = writing(
  'create',
  `
if redis.call('HLEN', records) >= ${UPLOADS_MAX} then return 0 end
local gone = now + ARGV[2]
redis.call('HSET', records, id, string.format('%d', gone) .. ' ' .. ARGV[3])
redis.call('ZADD', ends, gone, id)
keep()
return 1`,
);

/** id. Gives the sealed record with its time before it, or nothing. */
export const GET = reading('get', `return isLive(id) and redis.call('HGET', records, id)`);

/** Gives id and sealed record in turns of those whose time is not over. */
export const LIST = reading(
  'list',
  `
local all, live = redis.call('HGETALL', records), {}
for i = 1, #all, 2 do
  if tonumber(string.match(all[i + 1], '^%d+')) > now then
    live[#live + 1] = all[i]
    live[#live + 1] = all[i + 1]
  end
end
return live`,
);

/** id, number, sealed part. Gives 'none', 'full', or 'put' and the part that it replaced if nobody completes the upload. */
export const PUT_PART = writing(
  'put part',
  `
if not isLive(id) then return {'none'} end
local before = redis.call('ZRANGEBYSCORE', parts, ARGV[2], ARGV[2])[1]
if before then
  redis.call('ZREM', parts, before)
else
  if tonumber(redis.call('HGET', sizes, '*') or 0) >= ${PARTS_MAX} then return {'full'} end
  redis.call('HINCRBY', sizes, id, 1)
  redis.call('HINCRBY', sizes, '*', 1)
end
redis.call('ZADD', parts, ARGV[2], ARGV[3])
redis.call('PEXPIREAT', parts, redis.call('ZSCORE', ends, id) + ${SPARE_MS})
keep()
if before and not isClaimed(id) then return {'put', before} end
return {'put'}`,
);

/** id, the number before the first, how many at most. Gives number and sealed part in turns, or nothing for no such upload. */
export const PARTS = reading(
  'parts',
  `
if not isLive(id) then return false end
local found, page = redis.call('ZRANGEBYSCORE', parts, '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3]), {}
for i = 1, #found, 2 do
  page[i] = found[i + 1]
  page[i + 1] = found[i]
end
return page`,
);

/** id, a fresh token, the lease in ms. Gives 'completed' and the sealed answer, 'none', 'busy' or 'claimed'. */
export const CLAIM = writing(
  'claim',
  `
local answer = redis.call('HGET', answers, id)
if answer and tonumber(redis.call('ZSCORE', answered, id) or 0) > now then return {'completed', answer} end
if not isLive(id) then return {'none'} end
if isClaimed(id) then return {'busy'} end
claim(id, ARGV[2], ARGV[3])
keep()
return {'claimed'}`,
);

/** id, token, the lease in ms. */
export const RENEW = writing(
  'renew',
  `
if claimOf(id) ~= ARGV[2] then return 0 end
claim(id, ARGV[2], ARGV[3])
keep()
return 1`,
);

/** id, token. */
export const RELEASE = writing(
  'release',
  `
if claimOf(id) ~= ARGV[2] then return 0 end
local record = redis.call('HGET', records, id)
if not record then
  forget(id)
  return 0
end
redis.call('HDEL', claims, id)
redis.call('ZADD', ends, string.match(record, '^%d+'), id)
return 1`,
);

/** id, token, the sealed answer, how long it is kept in ms. Gives the sealed parts with their numbers, none if the claim is another's. */
export const COMPLETE = writing(
  'complete',
  `
if claimOf(id) ~= ARGV[2] then return {} end
local found = redis.call('ZRANGE', parts, 0, -1, 'WITHSCORES')
redis.call('UNLINK', parts)
forget(id)
if redis.call('ZCARD', answered) >= ${COMPLETED_MAX} then
  local oldest = redis.call('ZPOPMIN', answered)[1]
  redis.call('HDEL', answers, oldest)
end
redis.call('HSET', answers, id, ARGV[3])
redis.call('ZADD', answered, now + ARGV[4], id)
keep()
return found`,
);

/** id. Gives 'none', 'busy', or 'removed' and the sealed parts with their numbers. */
export const REMOVE = writing(
  'remove',
  `
if not isLive(id) then return {'none'} end
if isClaimed(id) then return {'busy'} end
local found = redis.call('ZRANGE', parts, 0, -1, 'WITHSCORES')
redis.call('UNLINK', parts)
forget(id)
keep()
return {'removed', found}`,
);
