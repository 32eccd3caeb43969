-- Indexes that a site may or may not have: SierraDNA's answers to "what changed since" are index scans with them, and
-- read all of record_metadata without. Executed where --dna-indexes asks for them.
CREATE INDEX ON iiirecord.record_metadata (record_last_updated);
CREATE INDEX ON iiirecord.record_metadata (deletion_date);
