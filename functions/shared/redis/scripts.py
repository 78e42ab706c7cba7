"""The cache's Lua scripts, each of which Redis runs as one step.

`#!lua` without the flag `no-writes` makes a script a write, even one that only reads: a node that
rejects writes (READONLY, NOREPLICAS, MISCONF, OOM) rejects it too. So nobody reads pages of a node
to which changes cannot be announced. It takes Redis 7 or newer, or Valkey.
"""

# Succeeds only where writes do, unlike PING.
PROBE = "#!lua\nreturn 1"

# A page: KEYS pages; ARGV page.
READ = "#!lua\nreturn redis.call('HGET', KEYS[1], ARGV[1])"

# For a page that is not cached: takes the match's lease, or shares it, and claims the page for its
# reader. Returns nil while another reader has claimed it; else the page, if it is cached by now,
# and the lease, which is empty if nothing may be cached: a change is in progress, or Redis came
# back empty, and may have forgotten one, less than ARGV[5] ago.
# KEYS pages, lease, changes, claim, known, unsettled; ARGV page, lease, and how long these last:
# the lease in seconds, the claim and the doubt in milliseconds.
LEASE = """#!lua
local page = redis.call('HGET', KEYS[1], ARGV[1])
if page then return {page, ''} end
if redis.call('SET', KEYS[5], '', 'NX') then redis.call('SET', KEYS[6], '', 'PX', ARGV[5]) end
if redis.call('EXISTS', KEYS[3], KEYS[6]) > 0 then return {'', ''} end
redis.call('SET', KEYS[2], ARGV[2], 'NX', 'EX', ARGV[3])
local lease = redis.call('GET', KEYS[2])
if redis.call('GET', KEYS[4]) == lease then return end
redis.call('SET', KEYS[4], lease, 'PX', ARGV[4])
return {'', lease}
"""

# Caches a page if its reader's lease is still valid, and for as long as that lease: its age counts
# from before it was read, so a slow reader caches nothing older.
# KEYS pages, lease; ARGV lease, page, content.
FILL = """#!lua
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
    redis.call('PEXPIREAT', KEYS[1], redis.call('PEXPIRETIME', KEYS[2]), 'NX')
end
"""

# Both take three keys a match, and the change: a batch of matches costs one round trip. They run on
# a node that is out of memory, since they free some.
ANNOUNCE = """#!lua flags=allow-oom
for at = 1, #KEYS, 3 do
    redis.call('UNLINK', KEYS[at], KEYS[at + 1])
    redis.call('SADD', KEYS[at + 2], ARGV[1])
    redis.call('EXPIRE', KEYS[at + 2], ARGV[2])
end
return 1
"""
# An announcement that is not allowed is left out: whoever waits for one looks for changes anyway.
CHANGES = "goalstream:changes"
SETTLE = f"""#!lua flags=allow-oom
for at = 1, #KEYS, 3 do
    redis.call('UNLINK', KEYS[at], KEYS[at + 1])
    redis.call('SREM', KEYS[at + 2], ARGV[1])
end
redis.pcall('PUBLISH', '{CHANGES}', '')
return 1
"""
