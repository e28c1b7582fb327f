-- Credit may be held until it is checked, and then be forfeited; what was rejected is refused. SQLite changes a CHECK by a new
-- table only, so these two are copied and get their indexes and triggers back. Rows of credits are copied as they are, old
-- word and old seal: 0006-held.ts gives those their new word whose seal still fits. Words of a receipt's verification
-- are the program's to know from now on.
CREATE TABLE work_new (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  network TEXT NOT NULL,
  epoch INTEGER,
  model TEXT NOT NULL, -- the model's name, or the proof's tier
  device TEXT,
  origin TEXT NOT NULL CHECK (origin IN ('person', 'sample', 'network')),
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'interrupted', 'submitted', 'held', 'accepted', 'refused', 'forfeited', 'failed', 'cancelled', 'returned')),
  state_at INTEGER NOT NULL,
  tokens_in INTEGER,
  tokens_out INTEGER,
  macs INTEGER CHECK (macs >= 0),
  factor_milli INTEGER CHECK (factor_milli >= 0),
  credit_macs INTEGER CHECK (credit_macs >= 0),
  milliseconds REAL,
  joules REAL,
  joules_certainty TEXT CHECK (joules_certainty IN ('measured', 'estimated', 'mixed')),
  joules_measured_share REAL,
  joules_source TEXT,
  verification TEXT,
  reason TEXT,
  CHECK ((joules IS NULL) = (joules_certainty IS NULL)),
  CHECK (kind <> 'proof' OR state IN ('submitted', 'accepted', 'refused')),
  CHECK (state NOT IN ('submitted', 'held', 'accepted', 'refused', 'forfeited') OR (macs IS NOT NULL AND device IS NOT NULL)),
  CHECK ((state = 'accepted') = (verification IS NOT NULL))
) STRICT;
INSERT INTO work_new (seq, id, at, kind, network, epoch, model, device, origin, state, state_at, tokens_in, tokens_out, macs, factor_milli, credit_macs,
  milliseconds, joules, joules_certainty, joules_measured_share, joules_source, verification, reason)
SELECT seq, id, at, kind, network, epoch, model, device, origin, iif(state = 'rejected', 'refused', state), state_at, tokens_in, tokens_out, macs, factor_milli, credit_macs,
  milliseconds, joules, joules_certainty, joules_measured_share, joules_source, verification, reason
FROM work;
UPDATE work_path SET state = 'refused' WHERE state = 'rejected';
UPDATE work_counts SET state = 'refused' WHERE state = 'rejected';

CREATE TABLE credits_new (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  network TEXT NOT NULL,
  rig TEXT NOT NULL CHECK (length(rig) = 64),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  device TEXT NOT NULL,
  work INTEGER NOT NULL UNIQUE REFERENCES work (seq),
  kind TEXT NOT NULL CHECK (kind IN ('share', 'job')),
  work_kind TEXT NOT NULL,
  ref TEXT NOT NULL UNIQUE CHECK (length(ref) = 64), -- id of the signed share or job result
  macs INTEGER NOT NULL CHECK (macs >= 0),
  factor_milli INTEGER NOT NULL CHECK (factor_milli >= 0),
  credit_macs INTEGER NOT NULL CHECK (credit_macs >= 0),
  state TEXT NOT NULL,
  reason TEXT,
  receipt TEXT UNIQUE REFERENCES receipts (id),
  seal TEXT NOT NULL CHECK (length(seal) = 64), -- SHA-256 of all other columns, as src/engine/ledger/seal.ts has it for this version
  seal_version INTEGER NOT NULL,
  -- The former word stands only under a seal of the former version: in a row that was damaged before this migration.
  CHECK (state IN ('submitted', 'held', 'accepted', 'confirmed', 'paid', 'refused', 'forfeited') OR (state = 'rejected' AND seal_version = 1)),
  CHECK ((kind = 'share') = (work_kind = 'proof')),
  CHECK ((state IN ('accepted', 'confirmed', 'paid')) = (receipt IS NOT NULL)),
  CHECK ((state IN ('refused', 'forfeited', 'rejected')) = (reason IS NOT NULL))
) STRICT;
INSERT INTO credits_new SELECT *, 1 FROM credits;
DROP TABLE credits;
DROP TABLE work;
ALTER TABLE work_new RENAME TO work;
ALTER TABLE credits_new RENAME TO credits;

DELETE FROM state_transitions WHERE to_state = 'rejected';
INSERT INTO state_transitions (subject, from_state, to_state) VALUES
  ('work', 'submitted', 'held'), ('work', 'submitted', 'refused'),
  ('work', 'held', 'accepted'), ('work', 'held', 'refused'), ('work', 'held', 'forfeited'),
  ('credit', 'submitted', 'held'), ('credit', 'submitted', 'refused'),
  ('credit', 'held', 'accepted'), ('credit', 'held', 'refused'), ('credit', 'held', 'forfeited');

CREATE INDEX work_by_kind ON work (kind);
CREATE INDEX work_by_state ON work (state);
CREATE INDEX work_by_device ON work (device);
CREATE INDEX work_by_model ON work (model);
CREATE INDEX credits_by_time ON credits (at);
CREATE INDEX credits_lost ON credits (at, state, reason) WHERE reason IS NOT NULL;

CREATE TRIGGER work_begins BEFORE INSERT ON work
WHEN NEW.state <> iif(NEW.kind = 'proof', 'submitted', 'queued')
BEGIN SELECT RAISE(ABORT, 'work does not begin in this state'); END;
CREATE TRIGGER work_moves BEFORE UPDATE OF state ON work
WHEN NEW.state <> OLD.state AND NOT EXISTS (
  SELECT 1 FROM state_transitions WHERE subject = 'work' AND from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'work may not change its state like this'); END;
CREATE TRIGGER credits_begin BEFORE INSERT ON credits WHEN NEW.state <> 'submitted'
BEGIN SELECT RAISE(ABORT, 'credit begins as submitted'); END;
CREATE TRIGGER credits_move BEFORE UPDATE OF state ON credits
WHEN NEW.state <> OLD.state AND NOT EXISTS (
  SELECT 1 FROM state_transitions WHERE subject = 'credit' AND from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'credit may not change its state like this'); END;
CREATE TRIGGER credits_keep BEFORE UPDATE OF seq, id, at, network, rig, device, work, kind, work_kind, ref ON credits
BEGIN SELECT RAISE(ABORT, 'a credit keeps what it is for'); END;
CREATE TRIGGER credits_settle BEFORE UPDATE OF epoch, macs, factor_milli, credit_macs, reason, receipt ON credits
WHEN OLD.state NOT IN ('submitted', 'held')
BEGIN SELECT RAISE(ABORT, 'an answered credit keeps its figures'); END;
CREATE TRIGGER credits_kept BEFORE DELETE ON credits BEGIN SELECT RAISE(ABORT, 'a credit is never deleted'); END;
CREATE TRIGGER work_kept BEFORE DELETE ON work BEGIN SELECT RAISE(ABORT, 'work is never deleted'); END;
CREATE TRIGGER work_inserted AFTER INSERT ON work BEGIN
  INSERT INTO work_path (work, ordinal, state, at) VALUES (NEW.seq, 0, NEW.state, NEW.state_at);
  INSERT INTO work_counts (block, kind, state, device, model, count)
  VALUES (NEW.seq >> 12, NEW.kind, NEW.state, ifnull(NEW.device, ''), NEW.model, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER work_changed AFTER UPDATE OF state ON work WHEN NEW.state <> OLD.state BEGIN
  INSERT INTO work_path (work, ordinal, state, at)
  VALUES (NEW.seq, (SELECT max(ordinal) + 1 FROM work_path WHERE work = NEW.seq), NEW.state, NEW.state_at);
END;
CREATE TRIGGER work_recounted AFTER UPDATE OF kind, state, device, model ON work
WHEN NEW.kind <> OLD.kind OR NEW.state <> OLD.state OR NEW.model <> OLD.model OR NEW.device IS NOT OLD.device
BEGIN
  UPDATE work_counts SET count = count - 1
  WHERE block = OLD.seq >> 12 AND kind = OLD.kind AND state = OLD.state AND device = ifnull(OLD.device, '') AND model = OLD.model;
  DELETE FROM work_counts
  WHERE block = OLD.seq >> 12 AND kind = OLD.kind AND state = OLD.state AND device = ifnull(OLD.device, '') AND model = OLD.model AND count = 0;
  INSERT INTO work_counts (block, kind, state, device, model, count)
  VALUES (NEW.seq >> 12, NEW.kind, NEW.state, ifnull(NEW.device, ''), NEW.model, 1)
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER credits_added AFTER INSERT ON credits BEGIN
  INSERT INTO credit_quarters (quarter, work_kind, state, count, macs_high, macs_low, credit_high, credit_low)
  VALUES (NEW.at / 900000, NEW.work_kind, NEW.state, 1, NEW.macs / 1000000000, NEW.macs % 1000000000,
    NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000)
  ON CONFLICT DO UPDATE SET count = count + 1, macs_high = macs_high + excluded.macs_high, macs_low = macs_low + excluded.macs_low,
    credit_high = credit_high + excluded.credit_high, credit_low = credit_low + excluded.credit_low;
  INSERT INTO credit_epochs (network, epoch, state, count, credit_high, credit_low)
  VALUES (NEW.network, NEW.epoch, NEW.state, 1, NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000)
  ON CONFLICT DO UPDATE SET count = count + 1, credit_high = credit_high + excluded.credit_high, credit_low = credit_low + excluded.credit_low;
  INSERT INTO credit_sums (state, count, credit_high, credit_low)
  VALUES (NEW.state, 1, NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000)
  ON CONFLICT DO UPDATE SET count = count + 1, credit_high = credit_high + excluded.credit_high, credit_low = credit_low + excluded.credit_low;
END;
CREATE TRIGGER credits_changed AFTER UPDATE OF state ON credits BEGIN
  UPDATE credit_quarters SET count = count - 1, macs_high = macs_high - OLD.macs / 1000000000, macs_low = macs_low - OLD.macs % 1000000000,
    credit_high = credit_high - OLD.credit_macs / 1000000000, credit_low = credit_low - OLD.credit_macs % 1000000000
  WHERE quarter = OLD.at / 900000 AND work_kind = OLD.work_kind AND state = OLD.state;
  UPDATE credit_epochs SET count = count - 1, credit_high = credit_high - OLD.credit_macs / 1000000000,
    credit_low = credit_low - OLD.credit_macs % 1000000000
  WHERE network = OLD.network AND epoch = OLD.epoch AND state = OLD.state;
  UPDATE credit_sums SET count = count - 1, credit_high = credit_high - OLD.credit_macs / 1000000000,
    credit_low = credit_low - OLD.credit_macs % 1000000000
  WHERE state = OLD.state;
  INSERT INTO credit_quarters (quarter, work_kind, state, count, macs_high, macs_low, credit_high, credit_low)
  VALUES (NEW.at / 900000, NEW.work_kind, NEW.state, 1, NEW.macs / 1000000000, NEW.macs % 1000000000,
    NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000)
  ON CONFLICT DO UPDATE SET count = count + 1, macs_high = macs_high + excluded.macs_high, macs_low = macs_low + excluded.macs_low,
    credit_high = credit_high + excluded.credit_high, credit_low = credit_low + excluded.credit_low;
  INSERT INTO credit_epochs (network, epoch, state, count, credit_high, credit_low)
  VALUES (NEW.network, NEW.epoch, NEW.state, 1, NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000)
  ON CONFLICT DO UPDATE SET count = count + 1, credit_high = credit_high + excluded.credit_high, credit_low = credit_low + excluded.credit_low;
  INSERT INTO credit_sums (state, count, credit_high, credit_low)
  VALUES (NEW.state, 1, NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000)
  ON CONFLICT DO UPDATE SET count = count + 1, credit_high = credit_high + excluded.credit_high, credit_low = credit_low + excluded.credit_low;
END;
CREATE TRIGGER credits_energy AFTER UPDATE OF state ON credits WHEN NEW.state = 'accepted' AND OLD.state IN ('submitted', 'held') BEGIN
  INSERT INTO energy_quarters (quarter, work_kind, joules, joules_measured, macs)
  SELECT NEW.at / 900000, NEW.work_kind, work.joules, work.joules * ifnull(work.joules_measured_share, 0), NEW.macs
  FROM work WHERE work.seq = NEW.work AND work.joules IS NOT NULL
  ON CONFLICT DO UPDATE SET joules = joules + excluded.joules, joules_measured = joules_measured + excluded.joules_measured,
    macs = macs + excluded.macs;
END;
CREATE TRIGGER credits_of_model AFTER UPDATE OF state ON credits
WHEN NEW.kind = 'job' AND NEW.state = 'accepted' AND OLD.state IN ('submitted', 'held')
BEGIN
  INSERT INTO model_totals (model_hash, jobs, credit_high, credit_low, last_at)
  SELECT jobs.model_hash, 1, NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000, NEW.at
  FROM jobs WHERE jobs.work = NEW.work
  ON CONFLICT DO UPDATE SET jobs = jobs + 1, credit_high = credit_high + excluded.credit_high,
    credit_low = credit_low + excluded.credit_low, last_at = max(last_at, excluded.last_at);
END;
