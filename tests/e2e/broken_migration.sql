-- Asks for a column that is there.
ALTER TABLE highlights ADD COLUMN team text;
