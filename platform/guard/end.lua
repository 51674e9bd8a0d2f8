-- Takes an attempt back that did not fail.
--
-- KEYS  as in begin.lua
-- ARGV  "trust" to forget the pair's tries and know the address, "forgive" to undo one try;
--       how long the address is known, in ms; 1 if the attempt was counted as a stranger's

if ARGV[1] == 'trust' then
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[2], 1, 'PX', ARGV[2])
elseif tonumber(redis.call('HGET', KEYS[1], 'tries') or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'tries', -1)
  redis.call('HDEL', KEYS[1], 'until')
end
if ARGV[3] == '1' then
  for i = 3, 4 do
    if tonumber(redis.call('GET', KEYS[i]) or 0) > 0 then
      redis.call('DECR', KEYS[i])
    end
  end
end
return 1
