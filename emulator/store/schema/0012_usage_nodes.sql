-- A deployed model has at least as many nodes as its endpoint was told, each billed.
ALTER TABLE usage ADD COLUMN nodes INTEGER NOT NULL DEFAULT 1;
