-- Service accounts; a deleted one can be taken back until it is purged. policy is who may use it.
CREATE TABLE service_accounts (
    unique_id TEXT PRIMARY KEY,
    email     TEXT NOT NULL,
    project   TEXT NOT NULL,
    disabled  INTEGER NOT NULL DEFAULT 0,
    deleted   TEXT,
    body      TEXT NOT NULL,
    policy    TEXT
) WITHOUT ROWID;
CREATE UNIQUE INDEX service_accounts_live ON service_accounts (email) WHERE deleted IS NULL;
CREATE INDEX service_accounts_by_project ON service_accounts (project, email);

-- Keys of accounts: the certificate of each; private halves are never here (keys that the server
-- signs with lie in keys/, readable by its user alone; others are handed out once).
CREATE TABLE service_account_keys (
    id          TEXT PRIMARY KEY,
    account     TEXT NOT NULL REFERENCES service_accounts (unique_id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    origin      TEXT NOT NULL,
    certificate TEXT NOT NULL,
    created     TEXT NOT NULL,
    expires     TEXT NOT NULL,
    disabled    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX service_account_keys_by_account ON service_account_keys (account, created);
