-- A hash over whole rows that neither the chain nor another row vouches for, so that a flipped bit
-- in them is seen when they are read. Rows from before have none until they are written again.

-- BLAKE3 of document, revision, chain, time and body: a snapshot taken for one of another revision
-- would be a wrong text.
alter table snapshot add column row_hash blob;

-- The first 8 bytes of the BLAKE3 of document, client, author, number, revision and submission
-- hash: a wrong one would refuse a resend.
alter table client_progress add column row_hash blob;
