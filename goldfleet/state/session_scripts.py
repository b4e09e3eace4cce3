"""What the sessions store does in one step. Each script sees the clock of the store, never that of a clone.

Keys, in one hash slot: the session's hash and its user's hash.

session: user, secret (SHA-256), old and old_until (the secret before the last rotation), salt (of that rotation), born,
         created, seen, ends (milliseconds), csrf, f:NAME (fields), p:SHARD (positions), distrusts
         (milliseconds until which it asks no cache). A tombstone has only `ended`.
user:    born, a counter of sessions started; dead, its value at the last "log out everywhere".
         Outlives every session of the user, so a session without it is void.
"""

from __future__ import annotations

from goldfleet.state.store import Script

_COMMON = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function alive()
  local born = redis.call('HGET', KEYS[1], 'born')
  local user = redis.call('HMGET', KEYS[2], 'born', 'dead')
  return born and user[1] and tonumber(born) > tonumber(user[2] or 0)
end
"""

START = Script(
    _COMMON
    + """
local secret, user, csrf, idle, absolute, slack = unpack(ARGV)
local time = now()
local born = redis.call('HINCRBY', KEYS[2], 'born', 1)
redis.call('PEXPIRE', KEYS[2], absolute + slack)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'secret', secret, 'user', user, 'csrf', csrf, 'born', born,
  'created', string.format('%d', time), 'seen', string.format('%d', time), 'ends', string.format('%d', time + absolute))
redis.call('PEXPIRE', KEYS[1], math.min(idle, absolute))
return redis.call('HGETALL', KEYS[1])
"""
)

# For what needs the store's clock: a touch that is due, the alias of a rotated secret. Most requests need neither.
# A full store refuses the touch (pcall): the session is still good until its expiry.
LOAD = Script(
    _COMMON
    + """
local secret, touch, idle = unpack(ARGV)
local s = redis.call('HMGET', KEYS[1], 'secret', 'old', 'old_until', 'seen', 'ends')
if not s[1] or not alive() then return false end
local time = now()
if s[1] ~= secret and not (s[2] == secret and time < tonumber(s[3])) then return false end
if time >= tonumber(s[5]) then return false end
if time - s[4] >= tonumber(touch) then
  redis.pcall('HSET', KEYS[1], 'seen', string.format('%d', time))
  redis.pcall('PEXPIRE', KEYS[1], math.min(idle, s[5] - time))
end
return redis.call('HGETALL', KEYS[1])
"""
)

SET = Script(
    _COMMON
    + """
local name, value, most = unpack(ARGV)
if not alive() then return 0 end
if redis.call('HSET', KEYS[1], name, value) == 1 and redis.call('HLEN', KEYS[1]) > tonumber(most) then
  redis.call('HDEL', KEYS[1], name)
  return -1
end
return 1
"""
)

REMOVE = Script(
    _COMMON
    + """
if not alive() then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
"""
)

# A position only grows, whichever clone comes last.
WROTE = Script(
    _COMMON
    + """
local name, position, distrusts = unpack(ARGV)
if not alive() then return 0 end
if (redis.call('HGET', KEYS[1], name) or '') < position then redis.call('HSET', KEYS[1], name, position) end
if tonumber(distrusts) > tonumber(redis.call('HGET', KEYS[1], 'distrusts') or 0) then
  redis.call('HSET', KEYS[1], 'distrusts', distrusts)
end
return 1
"""
)

# Two requests that rotate the same secret get the same salt, so both arrive at the same new secret.
ROTATE = Script(
    _COMMON
    + """
local secret, new, salt, alias = unpack(ARGV)
if not alive() then return false end
local s = redis.call('HMGET', KEYS[1], 'secret', 'old', 'old_until', 'salt')
local time = now()
if s[1] == secret then
  local old_until = string.format('%d', time + alias)
  redis.call('HSET', KEYS[1], 'secret', new, 'old', secret, 'old_until', old_until, 'salt', salt)
  return salt
end
if s[2] == secret and time < tonumber(s[3]) then return s[4] end
return false
"""
)

END = Script(
    """
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'ended', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""
)

END_ALL = Script(
    """
local born = redis.call('HGET', KEYS[1], 'born')
if not born then return 0 end
redis.call('HSET', KEYS[1], 'dead', born)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""
)
