-- A claim changes no indexed column, and finds room on the page of its row: so it updates no index
-- (a HOT update). available_at keeps the time of the record or of the retry.
-- A function of the previous release may claim such a leased row; its own lease fences the first off.
ALTER TABLE highlights
    ADD COLUMN leased_until timestamptz,
    SET (fillfactor = 50); -- for new pages: full ones are not changed
