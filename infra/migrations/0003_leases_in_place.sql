-- A claim changes no column of an index, and finds room beside the row that it changes: so it writes
-- to no index, and leaves nothing behind (HOT). available_at stays as it was recorded or put off.
-- A function of before takes what is leased so; the lease that it writes fences the first one off.
ALTER TABLE highlights
    ADD COLUMN leased_until timestamptz,
    SET (fillfactor = 50); -- for pages to come: those that are full stay as they are
