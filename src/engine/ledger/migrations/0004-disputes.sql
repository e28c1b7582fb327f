-- Credits whose receipt counts otherwise than the network announced for that epoch: what was announced, beside the receipt's own figures.
CREATE TABLE disputes (
  credit INTEGER PRIMARY KEY REFERENCES credits (seq),
  at INTEGER NOT NULL,
  macs INTEGER NOT NULL CHECK (macs >= 0),
  factor_milli INTEGER NOT NULL CHECK (factor_milli >= 0),
  credit_macs INTEGER NOT NULL CHECK (credit_macs >= 0)
) STRICT;
CREATE TRIGGER disputes_stay BEFORE UPDATE ON disputes BEGIN SELECT RAISE(ABORT, 'a dispute is never changed'); END;
CREATE TRIGGER disputes_kept BEFORE DELETE ON disputes BEGIN SELECT RAISE(ABORT, 'a dispute is never deleted'); END;
