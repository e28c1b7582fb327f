-- The ledger. Integers are 64-bit; MACs and credit of one row fit, sums are kept as high * 10^9 + low.
-- `seq` counts rows without gaps, because nothing is ever deleted: a page's offset is a subtraction.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE epochs (
  id TEXT PRIMARY KEY CHECK (length(id) = 64), -- of the signed object
  network TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 0),
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL CHECK (ends_at > starts_at),
  signed TEXT NOT NULL CHECK (json_valid(signed))
) STRICT, WITHOUT ROWID;
CREATE INDEX epochs_by_number ON epochs (network, number);

CREATE TABLE units (
  id TEXT PRIMARY KEY CHECK (length(id) = 64), -- of the signed object
  network TEXT NOT NULL,
  unit INTEGER NOT NULL CHECK (unit BETWEEN 0 AND 4294967295),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  tier TEXT NOT NULL,
  difficulty TEXT NOT NULL,
  device TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  signed TEXT NOT NULL CHECK (json_valid(signed))
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('cpu', 'gpu', 'npu', 'asic')),
  name TEXT NOT NULL,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which change of state is allowed; the same lists as in src/shared/domain/states.ts.
CREATE TABLE state_transitions (
  subject TEXT NOT NULL CHECK (subject IN ('work', 'credit')),
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  PRIMARY KEY (subject, from_state, to_state)
) STRICT, WITHOUT ROWID;
INSERT INTO state_transitions (subject, from_state, to_state) VALUES
  ('work', 'queued', 'running'), ('work', 'queued', 'cancelled'), ('work', 'queued', 'failed'), ('work', 'queued', 'returned'),
  ('work', 'running', 'submitted'), ('work', 'running', 'interrupted'), ('work', 'running', 'failed'),
  ('work', 'running', 'cancelled'), ('work', 'running', 'returned'), ('work', 'running', 'queued'),
  ('work', 'interrupted', 'queued'), ('work', 'interrupted', 'running'), ('work', 'interrupted', 'returned'),
  ('work', 'interrupted', 'failed'), ('work', 'interrupted', 'cancelled'),
  ('work', 'submitted', 'accepted'), ('work', 'submitted', 'rejected'),
  ('credit', 'submitted', 'accepted'), ('credit', 'submitted', 'rejected'),
  ('credit', 'accepted', 'confirmed'), ('credit', 'confirmed', 'paid');

-- One row a useful job or proof share: what the Jobs screen lists.
CREATE TABLE work (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('proof', 'chat', 'embed', 'ocr')),
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
CREATE INDEX work_by_kind ON work (kind);
CREATE INDEX work_by_state ON work (state);
CREATE INDEX work_by_device ON work (device);
CREATE INDEX work_by_model ON work (model);

-- When each state began.
CREATE TABLE work_path (
  work INTEGER NOT NULL REFERENCES work (seq),
  ordinal INTEGER NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (work, ordinal)
) STRICT, WITHOUT ROWID;

-- How many rows of each sort stand in each block of 4096: totals, and where a page with a filter begins.
CREATE TABLE work_counts (
  block INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  device TEXT NOT NULL,
  model TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (block, kind, state, device, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE shares (
  work INTEGER PRIMARY KEY REFERENCES work (seq),
  unit TEXT NOT NULL REFERENCES units (id),
  nonce TEXT NOT NULL, -- u64 in decimal digits: it does not fit into a signed 64-bit column
  digest TEXT NOT NULL CHECK (length(digest) = 64),
  difficulty TEXT NOT NULL,
  signed TEXT NOT NULL CHECK (json_valid(signed))
) STRICT;
CREATE INDEX shares_by_digest ON shares (digest);

CREATE TABLE jobs (
  work INTEGER PRIMARY KEY REFERENCES work (seq),
  model_id TEXT NOT NULL,
  model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
  attempts INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER,
  ended_at INTEGER,
  sizes TEXT CHECK (json_valid(sizes)),
  signed TEXT CHECK (json_valid(signed)) -- the signed result, once there is one
) STRICT;
CREATE TABLE job_inputs (
  work INTEGER PRIMARY KEY REFERENCES jobs (work),
  input TEXT NOT NULL CHECK (json_valid(input))
) STRICT;
CREATE TABLE job_outputs (
  work INTEGER PRIMARY KEY REFERENCES jobs (work),
  output TEXT NOT NULL CHECK (json_valid(output))
) STRICT;
CREATE TABLE job_evidence (
  work INTEGER PRIMARY KEY REFERENCES jobs (work),
  evidence TEXT NOT NULL CHECK (json_valid(evidence))
) STRICT;

CREATE TABLE receipts (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) = 64),
  body TEXT NOT NULL CHECK (json_valid(body)), -- canonical JSON, as it was signed
  key TEXT NOT NULL CHECK (length(key) = 64),
  signature TEXT NOT NULL CHECK (length(signature) = 128)
) STRICT;

CREATE TABLE credits (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  network TEXT NOT NULL,
  rig TEXT NOT NULL CHECK (length(rig) = 64),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  device TEXT NOT NULL,
  work INTEGER NOT NULL UNIQUE REFERENCES work (seq),
  kind TEXT NOT NULL CHECK (kind IN ('share', 'job')),
  work_kind TEXT NOT NULL CHECK (work_kind IN ('proof', 'chat', 'embed', 'ocr')),
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
CREATE INDEX credits_by_time ON credits (at);
CREATE INDEX credits_rejected ON credits (at, reason) WHERE state = 'rejected';

-- Sums of credit per quarter of an hour, so that a local day of any time zone is a range of rows.
CREATE TABLE credit_quarters (
  quarter INTEGER NOT NULL, -- at / 900000
  work_kind TEXT NOT NULL,
  state TEXT NOT NULL,
  count INTEGER NOT NULL,
  macs_high INTEGER NOT NULL,
  macs_low INTEGER NOT NULL,
  credit_high INTEGER NOT NULL,
  credit_low INTEGER NOT NULL,
  PRIMARY KEY (quarter, work_kind, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE credit_epochs (
  network TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  state TEXT NOT NULL,
  count INTEGER NOT NULL,
  credit_high INTEGER NOT NULL,
  credit_low INTEGER NOT NULL,
  PRIMARY KEY (network, epoch, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE credit_sums (
  state TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  credit_high INTEGER NOT NULL,
  credit_low INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Energy of accepted work whose energy is known, and the MACs of that work.
CREATE TABLE energy_quarters (
  quarter INTEGER NOT NULL,
  work_kind TEXT NOT NULL,
  joules REAL NOT NULL,
  joules_measured REAL NOT NULL,
  macs REAL NOT NULL,
  PRIMARY KEY (quarter, work_kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE benchmarks (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  device TEXT NOT NULL,
  engine TEXT NOT NULL,
  tier TEXT NOT NULL,
  nonces_per_second REAL NOT NULL,
  macs_per_second REAL NOT NULL,
  watts REAL,
  watts_source TEXT NOT NULL,
  macs_per_joule REAL,
  checksum TEXT NOT NULL CHECK (checksum IN ('ok', 'mismatch'))
) STRICT;
CREATE INDEX benchmarks_by_device ON benchmarks (device);

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value)),
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE addresses (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  address TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('evm', 'bitcoin', 'cosmos')),
  set_at INTEGER NOT NULL,
  effective_at INTEGER NOT NULL,
  replaced_at INTEGER
) STRICT;
CREATE UNIQUE INDEX addresses_current ON addresses (replaced_at IS NULL) WHERE replaced_at IS NULL;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
  code TEXT NOT NULL,
  message TEXT NOT NULL
) STRICT;

-- States change only along the allowed ways.
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

-- What is written stays.
CREATE TRIGGER credits_keep BEFORE UPDATE OF seq, id, at, network, rig, device, work, kind, work_kind, ref ON credits
BEGIN SELECT RAISE(ABORT, 'a credit keeps what it is for'); END;
CREATE TRIGGER credits_settle BEFORE UPDATE OF epoch, macs, factor_milli, credit_macs, reason, receipt ON credits
WHEN OLD.state <> 'submitted'
BEGIN SELECT RAISE(ABORT, 'an answered credit keeps its figures'); END;
CREATE TRIGGER receipts_stay BEFORE UPDATE ON receipts BEGIN SELECT RAISE(ABORT, 'a receipt is never changed'); END;
CREATE TRIGGER receipts_kept BEFORE DELETE ON receipts BEGIN SELECT RAISE(ABORT, 'a receipt is never deleted'); END;
CREATE TRIGGER credits_kept BEFORE DELETE ON credits BEGIN SELECT RAISE(ABORT, 'a credit is never deleted'); END;
CREATE TRIGGER work_kept BEFORE DELETE ON work BEGIN SELECT RAISE(ABORT, 'work is never deleted'); END;

-- Path and counts of work.
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

-- Sums of credit.
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
