-- The practice network's books. Times are UTC milliseconds; signed objects are kept as they were sent.
CREATE TABLE parameters (
  id TEXT PRIMARY KEY,
  signed TEXT NOT NULL
) STRICT;

CREATE TABLE epochs (
  number INTEGER PRIMARY KEY CHECK (number >= 0),
  signed TEXT NOT NULL
) STRICT;

CREATE TABLE rigs (
  rig TEXT PRIMARY KEY,
  hello_at INTEGER NOT NULL,
  devices TEXT NOT NULL
) STRICT;

-- How many units each device had since its rig's hello.
CREATE TABLE ramps (
  rig TEXT NOT NULL,
  device TEXT NOT NULL,
  step INTEGER NOT NULL,
  PRIMARY KEY (rig, device)
) STRICT, WITHOUT ROWID;

-- How many samples each rig was offered.
CREATE TABLE sample_turns (
  rig TEXT PRIMARY KEY,
  turn INTEGER NOT NULL
) STRICT;

CREATE TABLE units (
  epoch INTEGER NOT NULL,
  unit INTEGER NOT NULL CHECK (unit BETWEEN 0 AND 4294967295),
  rig TEXT NOT NULL,
  tier TEXT NOT NULL,
  difficulty INTEGER NOT NULL CHECK (difficulty >= 1),
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (epoch, unit)
) STRICT, WITHOUT ROWID;
CREATE INDEX units_by_expiry ON units (expires_at);

CREATE TABLE receipts (
  id TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  credit_macs INTEGER NOT NULL CHECK (credit_macs >= 0),
  signed TEXT NOT NULL
) STRICT;
CREATE INDEX receipts_by_epoch ON receipts (epoch, credit_macs);

-- A nonce's 64 bits are kept as a signed integer.
CREATE TABLE shares (
  epoch INTEGER NOT NULL,
  rig TEXT NOT NULL,
  nonce INTEGER NOT NULL,
  signature TEXT NOT NULL,
  receipt TEXT NOT NULL UNIQUE REFERENCES receipts (id),
  PRIMARY KEY (epoch, rig, nonce)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  sequence INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  model TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  buyer TEXT NOT NULL,
  priority INTEGER NOT NULL,
  known_text TEXT,
  created_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'failed', 'cancelled')),
  attempts INTEGER NOT NULL,
  lease_rig TEXT,
  lease_expires_at INTEGER,
  lease_formula TEXT,
  message TEXT,
  result_signature TEXT,
  refusal TEXT,
  receipt TEXT UNIQUE REFERENCES receipts (id),
  CHECK (state <> 'leased' OR lease_rig IS NOT NULL),
  CHECK (receipt IS NULL OR state = 'done')
) STRICT;
CREATE INDEX jobs_queued ON jobs (model, kind, priority, sequence) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (lease_expires_at) WHERE state = 'leased';

-- Apart from the jobs, whose rows change often: an input may have megabytes. Removed when the job has ended.
CREATE TABLE job_inputs (
  job TEXT PRIMARY KEY REFERENCES jobs (id),
  input TEXT NOT NULL
) STRICT;

-- The same work is credited once an epoch.
CREATE TABLE credited_work (
  epoch INTEGER NOT NULL,
  model TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  PRIMARY KEY (epoch, model, input_hash)
) STRICT, WITHOUT ROWID;
