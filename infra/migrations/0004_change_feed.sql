-- The change feed: each highlight has the number of the transaction that last changed what readers
-- see of it. Rows become visible in the order of commits, not of these numbers; so a reader takes
-- only those below the oldest transaction that is still open (pg_snapshot_xmin), and misses none.
-- (What docs/upgrades.md says for large tables has made the column and the indexes already.)
ALTER TABLE highlights
    ADD COLUMN IF NOT EXISTS change_xid xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE INDEX IF NOT EXISTS highlights_by_change ON highlights (change_xid, id)
    WHERE status <> 'IGNORED';
CREATE INDEX IF NOT EXISTS highlights_of_match_by_change ON highlights (match_id, change_xid, id)
    WHERE status <> 'IGNORED';

-- The list of matches shows those too whose every highlight is retracted.
CREATE INDEX IF NOT EXISTS highlights_latest ON highlights (occurred_at DESC, id DESC)
    WHERE status <> 'IGNORED';
DROP INDEX highlights_newest;
ALTER INDEX highlights_latest RENAME TO highlights_newest;

-- By a trigger, so that no statement can forget it, those of older functions included. A lease and a
-- retry that waits change neither of these columns: readers see nothing of them.
CREATE FUNCTION set_change_xid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.change_xid := pg_current_xact_id();
    RETURN NEW;
END
$$;
CREATE TRIGGER set_change_xid BEFORE UPDATE ON highlights FOR EACH ROW
    WHEN ((OLD.updated_at, OLD.status, OLD.revision)
        IS DISTINCT FROM (NEW.updated_at, NEW.status, NEW.revision))
    EXECUTE FUNCTION set_change_xid();

-- Changes whenever transaction numbers, or what they stand for, may have begun anew: after a restore
-- (pg_restore makes a new file of the table, a recovery a new timeline), and on another server.
CREATE FUNCTION change_epoch() RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT left(md5(concat_ws(' ', (SELECT system_identifier FROM pg_control_system()),
        (SELECT timeline_id FROM pg_control_checkpoint()), pg_relation_filenode('highlights'))), 8)
$$;

-- The place in the feed of whoever has seen what a statement's snapshot shows. STABLE is needed: a
-- volatile function would take a later snapshot of its own, and what lies between would be missed. It
-- is never beyond the change after the newest: Postgres gives numbers out again, after a crash, of
-- transactions that have left nothing on disk.
CREATE FUNCTION change_cursor() RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT change_epoch() || '-' || least(
        pg_snapshot_xmin(pg_current_snapshot())::text::numeric,
        coalesce((SELECT change_xid::text::numeric + 1 FROM highlights WHERE status <> 'IGNORED'
            ORDER BY change_xid DESC LIMIT 1), 0))
$$;
