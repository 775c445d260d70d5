-- The ledger and the alert outbox, in one file so that a decision and its alert are one transaction.

-- A row is one decision; hash covers all other columns, previous is the hash of the row before.
CREATE TABLE entries (
    seq           INTEGER PRIMARY KEY,
    model         TEXT NOT NULL,
    kind          TEXT NOT NULL,
    key           TEXT NOT NULL,
    night         TEXT NOT NULL,
    recorded_at   TEXT NOT NULL,
    actor         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    evidence      TEXT NOT NULL,
    evidence_hash TEXT NOT NULL,
    previous      TEXT NOT NULL UNIQUE,
    hash          TEXT NOT NULL UNIQUE,
    UNIQUE (model, kind, key)
) STRICT;

CREATE INDEX entries_by_night ON entries (model, kind, night);

-- The one row says where the chain ends, so that lines cut off at its end are missed.
CREATE TABLE head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seq  INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER entries_are_not_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;

-- INSERT OR REPLACE would delete without asking the trigger above.
CREATE TRIGGER entries_are_not_replaced BEFORE INSERT ON entries
WHEN NEW.seq <> (SELECT seq + 1 FROM head) OR NEW.previous <> (SELECT hash FROM head)
    OR EXISTS (SELECT 1 FROM entries WHERE model = NEW.model AND kind = NEW.kind AND key = NEW.key)
    OR EXISTS (SELECT 1 FROM entries WHERE hash = NEW.hash)
BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER entries_move_the_head AFTER INSERT ON entries
BEGIN UPDATE head SET seq = NEW.seq, hash = NEW.hash WHERE only = 1; END;

-- A row is one alert, kept as JSON; routed once its deliveries are written down.
CREATE TABLE alerts (
    fingerprint TEXT PRIMARY KEY,
    model       TEXT NOT NULL,
    night       TEXT,
    event       TEXT NOT NULL,
    alert       TEXT NOT NULL,
    put_at      TEXT NOT NULL,
    repeats     INTEGER NOT NULL DEFAULT 0,
    routed      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX alerts_to_route ON alerts (routed) WHERE routed = 0;

-- A row is something that is wrong until a recovery resolves it.
CREATE TABLE conditions (
    condition TEXT PRIMARY KEY,
    opened_by TEXT NOT NULL,
    repeats   INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A row is an event that was not told, because its condition was open: it stays known.
CREATE TABLE events (
    fingerprint TEXT PRIMARY KEY
) STRICT;

-- A row is one alert on its way through one channel.
CREATE TABLE deliveries (
    fingerprint TEXT NOT NULL REFERENCES alerts (fingerprint),
    channel     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_try    TEXT NOT NULL,
    problem     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (fingerprint, channel)
) STRICT;

CREATE INDEX deliveries_due ON deliveries (next_try) WHERE state = 'pending';

INSERT INTO head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
