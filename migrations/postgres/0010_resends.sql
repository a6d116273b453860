-- What every append did for nobody. A client's last submission stands in client_progress, which lets its numbers only
-- ascend; so a resend from long ago is found by reading back along the log, the rows of which are few where history is
-- packed. And an append writes rows only of documents whose heads it moves in the same statement, and no document is ever
-- deleted from its table: each row need not look for its document again.

-- In the order in which an append locks them, since other servers may be writing.
lock table document, operation in access exclusive mode;

drop index operation_client_seq;

alter table operation drop constraint operation_document_fk;
