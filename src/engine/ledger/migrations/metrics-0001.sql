-- Metrics: three rings of the same form. `at` is the beginning of the step, UTC ms. Joules are of the time whose power is known.
CREATE TABLE seconds (
  at INTEGER NOT NULL, device TEXT NOT NULL, macs REAL NOT NULL, credit_macs REAL NOT NULL,
  joules REAL NOT NULL, joules_measured REAL NOT NULL, power_ms REAL NOT NULL,
  chat_ms REAL NOT NULL, embed_ms REAL NOT NULL, ocr_ms REAL NOT NULL, proof_ms REAL NOT NULL, paused_ms REAL NOT NULL, idle_ms REAL NOT NULL,
  PRIMARY KEY (at, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE minutes (
  at INTEGER NOT NULL, device TEXT NOT NULL, macs REAL NOT NULL, credit_macs REAL NOT NULL,
  joules REAL NOT NULL, joules_measured REAL NOT NULL, power_ms REAL NOT NULL,
  chat_ms REAL NOT NULL, embed_ms REAL NOT NULL, ocr_ms REAL NOT NULL, proof_ms REAL NOT NULL, paused_ms REAL NOT NULL, idle_ms REAL NOT NULL,
  PRIMARY KEY (at, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE quarters (
  at INTEGER NOT NULL, device TEXT NOT NULL, macs REAL NOT NULL, credit_macs REAL NOT NULL,
  joules REAL NOT NULL, joules_measured REAL NOT NULL, power_ms REAL NOT NULL,
  chat_ms REAL NOT NULL, embed_ms REAL NOT NULL, ocr_ms REAL NOT NULL, proof_ms REAL NOT NULL, paused_ms REAL NOT NULL, idle_ms REAL NOT NULL,
  PRIMARY KEY (at, device)
) STRICT, WITHOUT ROWID;
-- Time in which at least one device worked.
CREATE TABLE mining_minutes (at INTEGER PRIMARY KEY, milliseconds REAL NOT NULL) STRICT;
CREATE TABLE mining_quarters (at INTEGER PRIMARY KEY, milliseconds REAL NOT NULL) STRICT;
CREATE TABLE pauses (began_at INTEGER PRIMARY KEY, ended_at INTEGER, cause TEXT NOT NULL) STRICT;
