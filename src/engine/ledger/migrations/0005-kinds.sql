-- Kinds of work and of devices are the program's to know: a new one needs no migration. SQLite changes a CHECK by a new
-- table only, so these three are copied as they are, seals and all, and get their indexes and triggers back.
CREATE TABLE devices_new (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO devices_new SELECT * FROM devices;
DROP TABLE devices;
ALTER TABLE devices_new RENAME TO devices;

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
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'interrupted', 'submitted', 'accepted', 'rejected', 'failed', 'cancelled', 'returned')),
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
  verification TEXT CHECK (verification IN ('recomputed', 'known-answer', 'unchecked')),
  reason TEXT,
  CHECK ((joules IS NULL) = (joules_certainty IS NULL)),
  CHECK (kind <> 'proof' OR state IN ('submitted', 'accepted', 'rejected')),
  CHECK (state NOT IN ('submitted', 'accepted', 'rejected') OR (macs IS NOT NULL AND device IS NOT NULL)),
  CHECK ((state = 'accepted') = (verification IS NOT NULL))
) STRICT;
INSERT INTO work_new SELECT * FROM work;
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
  state TEXT NOT NULL CHECK (state IN ('submitted', 'accepted', 'confirmed', 'paid', 'rejected')),
  reason TEXT,
  receipt TEXT UNIQUE REFERENCES receipts (id),
  seal TEXT NOT NULL CHECK (length(seal) = 64), -- SHA-256 of all other columns
  CHECK ((kind = 'share') = (work_kind = 'proof')),
  CHECK ((state IN ('accepted', 'confirmed', 'paid')) = (receipt IS NOT NULL)),
  CHECK ((state = 'rejected') = (reason IS NOT NULL))
) STRICT;
INSERT INTO credits_new SELECT * FROM credits;
DROP TABLE credits;
DROP TABLE work;
ALTER TABLE work_new RENAME TO work;
ALTER TABLE credits_new RENAME TO credits;

CREATE INDEX work_by_kind ON work (kind);
CREATE INDEX work_by_state ON work (state);
CREATE INDEX work_by_device ON work (device);
CREATE INDEX work_by_model ON work (model);
CREATE INDEX credits_by_time ON credits (at);
CREATE INDEX credits_rejected ON credits (at, reason) WHERE state = 'rejected';

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
WHEN OLD.state <> 'submitted'
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
CREATE TRIGGER credits_energy AFTER UPDATE OF state ON credits WHEN NEW.state = 'accepted' AND OLD.state = 'submitted' BEGIN
  INSERT INTO energy_quarters (quarter, work_kind, joules, joules_measured, macs)
  SELECT NEW.at / 900000, NEW.work_kind, work.joules, work.joules * ifnull(work.joules_measured_share, 0), NEW.macs
  FROM work WHERE work.seq = NEW.work AND work.joules IS NOT NULL
  ON CONFLICT DO UPDATE SET joules = joules + excluded.joules, joules_measured = joules_measured + excluded.joules_measured,
    macs = macs + excluded.macs;
END;
CREATE TRIGGER credits_of_model AFTER UPDATE OF state ON credits
WHEN NEW.kind = 'job' AND NEW.state = 'accepted' AND OLD.state = 'submitted'
BEGIN
  INSERT INTO model_totals (model_hash, jobs, credit_high, credit_low, last_at)
  SELECT jobs.model_hash, 1, NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000, NEW.at
  FROM jobs WHERE jobs.work = NEW.work
  ON CONFLICT DO UPDATE SET jobs = jobs + 1, credit_high = credit_high + excluded.credit_high,
    credit_low = credit_low + excluded.credit_low, last_at = max(last_at, excluded.last_at);
END;
