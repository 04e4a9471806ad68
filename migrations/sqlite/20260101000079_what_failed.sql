-- What failed says so. Of a test: why its winner was not promoted, or that nobody could look at it.
ALTER TABLE ab_tests ADD COLUMN note TEXT;

-- Jobs that were given up are looked for by what they were to do, and thrown away by their age.
CREATE INDEX jobs_dead ON jobs (queue, unique_key, finished_at) WHERE state = 'dead';
