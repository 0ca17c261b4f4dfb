/**
 * The commit of transactions, as the server runs it: all of it or nothing, nobody between. It is kept only if every
 * record that was read is still as it was; what it wrote and what is to be told become one entry of the log. The same
 * commit sent again, by a connection that broke, is answered as it was the first time.
 *
 *   KEYS  log, counter, commits, names of tables, then the tables
 *   ARGV  boot, number of the commit, longest log, messages,
 *         then for each read    'r', table, field, version
 *         and for each write    'w', table, field, value   or   'd', table, field
 *   gives {1, number, entry of the log} where it is kept, {0} where something had changed
 */
export const commitScript = `
local boot, nth, longest, messages = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local before = redis.call('HGET', KEYS[3], boot)
if before then
  local sameNth, number, entry = string.match(before, '^(%d+) (%d+) (.*)$')
  if sameNth == nth then return {1, tonumber(number), entry} end
end
local at = 5
while ARGV[at] == 'r' do
  local raw = redis.call('HGET', KEYS[4 + tonumber(ARGV[at + 1])], ARGV[at + 2])
  local version = raw and string.match(raw, '^(%d+)|') or '0'
  if version ~= ARGV[at + 3] then return {0} end
  at = at + 4
end
if ARGV[at] == nil and messages == '[]' then return {1, 0, ''} end
local number = redis.call('INCR', KEYS[2])
local changes = {}
while ARGV[at] do
  local index = tonumber(ARGV[at + 1])
  local key, field = KEYS[4 + index], ARGV[at + 2]
  if ARGV[at] == 'w' then
    redis.call('HSET', key, field, number .. '|' .. ARGV[at + 3])
    changes[#changes + 1] = '[' .. index .. ',' .. field .. ',' .. ARGV[at + 3] .. ']'
    at = at + 4
  else
    redis.call('HDEL', key, field)
    changes[#changes + 1] = '[' .. index .. ',' .. field .. ']'
    at = at + 3
  end
end
local names = {}
for index = 5, #KEYS do
  names[#names + 1] = KEYS[index]
  redis.call('SADD', KEYS[4], KEYS[index])
end
local entry = redis.call('XADD', KEYS[1], 'MAXLEN', '~', longest, '*',
  'number', number, 'boot', boot, 'tables', cjson.encode(names), 'changes', '[' .. table.concat(changes, ',') .. ']', 'messages', messages)
redis.call('HSET', KEYS[3], boot, nth .. ' ' .. number .. ' ' .. entry)
return {1, number, entry}
`;
