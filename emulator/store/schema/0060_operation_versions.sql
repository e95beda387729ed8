-- The version of the API that an operation was begun by: /ui answers with its types.
ALTER TABLE operations ADD COLUMN version TEXT NOT NULL DEFAULT 'v1';
