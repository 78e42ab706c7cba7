-- The texts in all languages, who wrote them, and the codes for which texts before were refused.
-- `provisional` marks a READY highlight whose text stands in until the endpoint of the enricher is
-- back: it is still to be enriched. `former` are the texts from before a correction, hidden until
-- they have passed the guard against the new facts. Functions of the previous schema write none of
-- these.
-- (What docs/upgrades.md says for large tables has made two columns and the indexes already.)
ALTER TABLE highlights
    ADD COLUMN texts       json, -- {"en": {"title": …, "summary": …}}
    ADD COLUMN enriched_by text,
    ADD COLUMN refused     json, -- ["number", …]
    ADD COLUMN IF NOT EXISTS provisional boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS former json; -- {"texts": {…}, "enriched_by": "template"}

CREATE INDEX IF NOT EXISTS highlights_to_rewrite ON highlights (available_at, id)
    WHERE provisional AND status = 'READY';
CREATE INDEX IF NOT EXISTS highlights_corrected ON highlights (id) WHERE former IS NOT NULL;

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

-- A correction, of whichever function, moves the texts to `former`; a retraction, a new text and a
-- last attempt clear it. Triggers run in the order of their names: this one after drop_old_texts.
CREATE FUNCTION keep_former_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.former := CASE WHEN NEW.status = 'PENDING_AI'
        THEN json_build_object('texts', OLD.texts, 'enriched_by', OLD.enriched_by) END;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_former_texts BEFORE UPDATE ON highlights FOR EACH ROW
    WHEN (OLD.texts IS NOT NULL AND NEW.texts IS NULL
        OR NEW.former IS NOT NULL AND NEW.status <> 'PENDING_AI')
    EXECUTE FUNCTION keep_former_texts();
