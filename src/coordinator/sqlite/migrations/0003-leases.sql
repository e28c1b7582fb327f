-- A lease has a longest life, and the epoch and factor that its work counts by. Rigs that said that no rig can do a job.
ALTER TABLE jobs ADD COLUMN lease_renewable_until INTEGER;
ALTER TABLE jobs ADD COLUMN lease_epoch INTEGER;
ALTER TABLE jobs ADD COLUMN lease_factor TEXT;
ALTER TABLE jobs ADD COLUMN declined_by TEXT;

-- Leases from before count by the newest epoch, as they would have at delivery.
UPDATE jobs SET
  lease_renewable_until = lease_expires_at + 21600000,
  lease_epoch = (SELECT max(number) FROM epochs),
  lease_factor = (
    SELECT coalesce(
      json_extract(parameters.signed, '$.body.modelFactorsMilli."' || jobs.model || '"'),
      json_extract(parameters.signed, '$.body.kindFactorsMilli."' || jobs.kind || '"')
    )
    FROM epochs JOIN parameters ON parameters.id = json_extract(epochs.signed, '$.body.parameters')
    ORDER BY epochs.number DESC LIMIT 1
  )
WHERE lease_rig IS NOT NULL;

CREATE INDEX jobs_held ON jobs (lease_rig) WHERE state = 'leased';
CREATE INDEX units_held ON units (rig, expires_at);
