-- A job may have a time by which it must be done; one that nobody can do by then fails.
ALTER TABLE jobs ADD COLUMN deadline INTEGER;
CREATE INDEX jobs_due ON jobs (deadline) WHERE state = 'queued' AND deadline IS NOT NULL;
