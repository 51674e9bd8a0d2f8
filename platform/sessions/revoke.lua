-- Ends sessions of an account at one stroke.
--
-- KEYS  the account's list (public ID → the session's hash)
-- ARGV  "one" or "others", a public ID, the beginning of sessions' keys
-- gives the number of sessions that were there and are no more

local ended = 0
local list = redis.call('HGETALL', KEYS[1])
for i = 1, #list, 2 do
  if (list[i] == ARGV[2]) == (ARGV[1] == 'one') then
    ended = ended + redis.call('DEL', ARGV[3] .. list[i + 1])
    redis.call('HDEL', KEYS[1], list[i])
  end
end
return ended
