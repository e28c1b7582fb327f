-- What each model earned, by its content hash: accepted jobs, their credit as high * 10^9 + low, and the last one's time.
CREATE TABLE model_totals (
  model_hash TEXT PRIMARY KEY CHECK (length(model_hash) = 64),
  jobs INTEGER NOT NULL,
  credit_high INTEGER NOT NULL,
  credit_low INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO model_totals (model_hash, jobs, credit_high, credit_low, last_at)
SELECT jobs.model_hash, count(*), sum(credits.credit_macs / 1000000000), sum(credits.credit_macs % 1000000000), max(credits.at)
FROM credits JOIN jobs ON jobs.work = credits.work
WHERE credits.kind = 'job' AND credits.state IN ('accepted', 'confirmed', 'paid')
GROUP BY jobs.model_hash;

CREATE TRIGGER credits_of_model AFTER UPDATE OF state ON credits
WHEN NEW.kind = 'job' AND NEW.state = 'accepted' AND OLD.state = 'submitted'
BEGIN
  INSERT INTO model_totals (model_hash, jobs, credit_high, credit_low, last_at)
  SELECT jobs.model_hash, 1, NEW.credit_macs / 1000000000, NEW.credit_macs % 1000000000, NEW.at
  FROM jobs WHERE jobs.work = NEW.work
  ON CONFLICT DO UPDATE SET jobs = jobs + 1, credit_high = credit_high + excluded.credit_high,
    credit_low = credit_low + excluded.credit_low, last_at = max(last_at, excluded.last_at);
END;
