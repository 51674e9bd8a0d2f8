-- Admits or refuses one attempt to sign in. An attempt is counted as failed when it is
-- admitted, so that many at the same time are counted before any of them is judged; one
-- that succeeds is taken back (end.lua). local.go does the same in Go.
--
-- KEYS  the pair of account and address (tries, until), whether the address is known to the
--       account, the address' failures, the account's failures by strangers, the alarm
-- ARGV  now in ms; the address' limit, its window's rest in ms; the account's threshold, its
--       window's rest in ms; then thrice free tries, first wait in ms, longest wait in ms:
--       for strangers, for known addresses, for strangers while the account is under attack;
--       the pair's time to live in ms, the alarm's
-- gives the ms to wait (0: admitted), and each as 1 or 0: whether the account is under attack,
-- whether nobody was told of it yet, whether the address is known

local now = tonumber(ARGV[1])
local known = redis.call('EXISTS', KEYS[2]) == 1

local rest = (tonumber(redis.call('HGET', KEYS[1], 'until') or 0)) - now
if rest > 0 then
  return {rest, 0, 0, 0}
end
if not known and tonumber(redis.call('GET', KEYS[3]) or 0) >= tonumber(ARGV[2]) then
  return {tonumber(ARGV[3]), 0, 0, 0}
end

local strangers = tonumber(redis.call('GET', KEYS[4]) or 0)
if not known then
  strangers = redis.call('INCR', KEYS[4])
  if strangers == 1 then
    redis.call('PEXPIRE', KEYS[4], ARGV[5])
  end
  if redis.call('INCR', KEYS[3]) == 1 then
    redis.call('PEXPIRE', KEYS[3], ARGV[3])
  end
end
local attacked = strangers > tonumber(ARGV[4])

local pace = 6
if known then
  pace = 9
elseif attacked then
  pace = 12
end
local tries = redis.call('HINCRBY', KEYS[1], 'tries', 1)
local over = tries - tonumber(ARGV[pace])
if over >= 0 then
  local wait = math.min(tonumber(ARGV[pace + 2]), tonumber(ARGV[pace + 1]) * 2 ^ math.min(over, 40))
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + wait))
end
redis.call('PEXPIRE', KEYS[1], ARGV[15])

local alarm = 0
if attacked and redis.call('SET', KEYS[5], 1, 'NX', 'PX', ARGV[16]) then
  alarm = 1
end
return {0, attacked and 1 or 0, alarm, known and 1 or 0}
