-- What each epoch committed to: the secret of the next epoch's seed, and the key that chooses what is checked. Epochs of a
-- former version committed to nothing.
CREATE TABLE epoch_secrets (
  epoch INTEGER PRIMARY KEY REFERENCES epochs (number),
  next_secret TEXT NOT NULL CHECK (length(next_secret) = 64),
  check_key TEXT NOT NULL CHECK (length(check_key) = 64),
  check_key_due_at INTEGER NOT NULL,
  is_published INTEGER NOT NULL DEFAULT 0 CHECK (is_published IN (0, 1))
) STRICT;
CREATE INDEX check_keys_due ON epoch_secrets (epoch, check_key_due_at) WHERE is_published = 0;
CREATE INDEX receipts_of_epoch ON receipts (epoch, id);
