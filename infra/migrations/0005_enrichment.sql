-- The texts in all languages, who wrote them, and the codes for which texts before were refused.
-- `provisional` marks a READY highlight whose text stands in until the endpoint of the enricher is
-- back: it is still to be enriched. Functions of the previous schema write none of these.
-- (What docs/upgrades.md says for large tables has made the column and the index already.)
ALTER TABLE highlights
    ADD COLUMN texts       json, -- {"en": {"title": …, "summary": …}}
    ADD COLUMN enriched_by text,
    ADD COLUMN refused     json, -- ["number", …]
    ADD COLUMN IF NOT EXISTS provisional boolean NOT NULL DEFAULT false;

CREATE INDEX IF NOT EXISTS highlights_to_rewrite ON highlights (available_at, id)
    WHERE provisional AND status = 'READY';

-- Functions of the previous schema replace title and summary alone: the rest goes with the old ones.
CREATE FUNCTION drop_old_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.texts := NULL;
    NEW.enriched_by := NULL;
    NEW.refused := NULL;
    NEW.thumbnail_url := NULL;
    NEW.provisional := false;
    RETURN NEW;
END
$$;
CREATE TRIGGER drop_old_texts BEFORE UPDATE ON highlights FOR EACH ROW
    WHEN (OLD.texts IS NOT NULL AND (OLD.title, OLD.summary) IS DISTINCT FROM (NEW.title, NEW.summary)
        AND OLD.texts::text IS NOT DISTINCT FROM NEW.texts::text)
    EXECUTE FUNCTION drop_old_texts();
