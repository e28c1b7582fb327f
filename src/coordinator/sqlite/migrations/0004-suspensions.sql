-- Rigs that claimed a wrong digest, until their next hello after a pause.
CREATE TABLE suspensions (
  rig TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT;
