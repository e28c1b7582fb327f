-- Models that the network listed by itself, after its verifier counted their graphs.
CREATE TABLE model_listings (
  model TEXT PRIMARY KEY,
  listed_at INTEGER NOT NULL,
  signed TEXT NOT NULL
) STRICT;
CREATE INDEX model_listings_by_time ON model_listings (listed_at);
