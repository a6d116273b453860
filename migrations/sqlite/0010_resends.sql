-- An index that every commit wrote a page of for each client, and hardly anybody ever read. A client's last submission
-- stands in client_progress, which lets its numbers only ascend; so a resend from long ago is found by reading back along
-- the log, the rows of which are few where history is packed.

drop index operation_client_seq;
