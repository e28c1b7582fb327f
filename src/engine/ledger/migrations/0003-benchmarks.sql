-- Under which conditions a benchmark measured, and what makes it verifiable. NULL: not recorded by the version before.
ALTER TABLE benchmarks ADD COLUMN mode TEXT NOT NULL DEFAULT 'benchmark' CHECK (mode IN ('benchmark', 'stress'));
ALTER TABLE benchmarks ADD COLUMN ended TEXT NOT NULL DEFAULT 'time' CHECK (ended IN ('time', 'too-hot', 'wrong-digest'));
ALTER TABLE benchmarks ADD COLUMN milliseconds REAL;
-- interquartile range of the samples over their median
ALTER TABLE benchmarks ADD COLUMN spread REAL;
ALTER TABLE benchmarks ADD COLUMN threads INTEGER;
ALTER TABLE benchmarks ADD COLUMN watts_certainty TEXT CHECK (watts_certainty IN ('measured', 'estimated', 'mixed'));
ALTER TABLE benchmarks ADD COLUMN temperature_celsius REAL;
ALTER TABLE benchmarks ADD COLUMN clock_hertz REAL;
ALTER TABLE benchmarks ADD COLUMN power_limit_watts REAL;
ALTER TABLE benchmarks ADD COLUMN driver TEXT;
ALTER TABLE benchmarks ADD COLUMN lode_version TEXT;
ALTER TABLE benchmarks ADD COLUMN checksum_sha256 TEXT;
ALTER TABLE benchmarks ADD COLUMN nonces_checked INTEGER NOT NULL DEFAULT 0;
-- a decimal, since a nonce has 64 bits without a sign
ALTER TABLE benchmarks ADD COLUMN wrong_nonce TEXT;
-- JSON: the device, the samples and the digests that an export holds
ALTER TABLE benchmarks ADD COLUMN evidence TEXT CHECK (evidence IS NULL OR json_valid(evidence));
