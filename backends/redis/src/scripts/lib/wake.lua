-- Waking receivers that sleep.

-- Wakes so many of the receivers whose names lie under the key.
local function wake_some(sleepers, queue, now, left)
  while left > 0 do
    local popped = call('ZPOPMAX', sleepers)
    if not popped[1] then return end
    if tonumber(popped[2]) >= now then
      call('PUBLISH', popped[1], queue)
      left = left - 1
    end
  end
end
