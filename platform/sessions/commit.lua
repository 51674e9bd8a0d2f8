-- Writes a session and its place in the list of its account, both or neither. One that is
-- only to be seen again is written only if it is still there, so that a request under way
-- cannot bring a revoked session back.
--
-- KEYS  the session, the account's list (public ID → the session's hash)
-- ARGV  "new" or "seen", the session's data, its time to live in ms, its public ID, its hash,
--       the list's time to live in ms, the beginning of sessions' keys, the greatest number
--       of sessions of an account
-- gives 1 when it was written

if ARGV[1] == 'seen' and redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[6])

-- Public IDs sort by age: the oldest sessions give way.
local surplus = redis.call('HLEN', KEYS[2]) - tonumber(ARGV[8])
if surplus > 0 then
  local ids = redis.call('HKEYS', KEYS[2])
  table.sort(ids)
  for i = 1, surplus do
    redis.call('DEL', ARGV[7] .. redis.call('HGET', KEYS[2], ids[i]))
    redis.call('HDEL', KEYS[2], ids[i])
  end
end
return 1
