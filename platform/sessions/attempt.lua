-- Opens a pending second factor for one attempt, and ends it after the last.
--
-- KEYS  the pending second factor
-- ARGV  the greatest number of attempts
-- gives its data, or nothing

local data = redis.call('HGET', KEYS[1], 'data')
if not data then
  return false
end
if redis.call('HINCRBY', KEYS[1], 'attempts', 1) >= tonumber(ARGV[1]) then
  redis.call('DEL', KEYS[1])
end
return data
