-- Counts one request in several windows and in the usage of its store, all or nothing:
-- a request that any window refuses is counted in none. Time comes with the names of the
-- keys, never from Redis, so that the script does the same whatever clock Redis has.
--
-- KEYS  the windows' counters, then, when usage is counted, the day's hash of usage
-- ARGV  number of windows, cost, then for each window its limit (-1: count only) and its
--       time to live in ms; then, when usage is counted, the field of the requests, their
--       number, the field of the refused requests, their number, and the hash's time to live in s
-- gives 1 or 0 for refused, then each window's count

local windows, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local answer = {0}

local counts = windows > 0 and redis.call('MGET', unpack(KEYS, 1, windows))
for i = 1, windows do
  local count = tonumber(counts[i] or 0)
  local limit = tonumber(ARGV[1 + 2 * i])
  if limit >= 0 and count + cost > limit then
    answer[1] = 1
  end
  answer[1 + i] = count
end

if answer[1] == 0 and cost > 0 then
  for i = 1, windows do
    local count = redis.call('INCRBY', KEYS[i], cost)
    if count == cost then
      redis.call('PEXPIRE', KEYS[i], ARGV[2 + 2 * i])
    end
    answer[1 + i] = count
  end
end

-- Usage comes as what one process has counted in all, so that the greater number is the
-- right one and a script that runs late or twice changes nothing.
if KEYS[windows + 1] then
  local usage, first = KEYS[windows + 1], 3 + 2 * windows
  for i = first, first + 2, 2 do
    local value = tonumber(ARGV[i + 1])
    if value > 0 and value > tonumber(redis.call('HGET', usage, ARGV[i]) or 0) then
      if redis.call('HSET', usage, ARGV[i], ARGV[i + 1]) == 1 then
        redis.call('EXPIRE', usage, ARGV[first + 4])
      end
    end
  end
end

return answer
