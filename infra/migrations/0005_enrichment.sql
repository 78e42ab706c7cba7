-- What the enrichment wrote besides: the texts of all languages ({"de": {"title", "summary"}}), who wrote
-- them, and the codes for which a text was refused.
ALTER TABLE highlights
    ADD COLUMN texts       json,
    ADD COLUMN enriched_by text,
    ADD COLUMN refused     json;
