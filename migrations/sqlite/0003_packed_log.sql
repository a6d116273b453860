-- Old history, many operations to a row. Pages cover a document's revisions from 1 without a gap;
-- behind the last page the log goes on in table operation.

create table packed_page (
    document_id    blob    not null,
    first_revision integer not null,
    last_revision  integer not null,
    -- The chain hash of the last revision.
    chain          blob    not null,
    -- When the last revision was committed, to find the page of a time.
    last_ms        integer not null,
    -- The page; docs/storage.md has its format.
    body           blob    not null,
    -- BLAKE3 of everything above.
    row_hash       blob    not null,
    constraint packed_page_pk primary key (document_id, last_revision),
    constraint packed_page_document_fk
        foreign key (document_id) references document (document_id),
    constraint packed_page_revision_range
        check (first_revision > 0 and last_revision >= first_revision),
    constraint packed_page_chain_len check (length(chain) = 32),
    constraint packed_page_row_hash_len check (length(row_hash) = 32)
) strict;

-- Which numbers of a client are in which page: a resend from long ago is found without opening
-- every page.
create table packed_client (
    document_id   blob    not null,
    client_id     blob    not null,
    last_revision integer not null,
    first_seq     integer not null,
    last_seq      integer not null,
    constraint packed_client_pk primary key (document_id, client_id, last_revision),
    constraint packed_client_page_fk foreign key (document_id, last_revision)
        references packed_page (document_id, last_revision) on delete cascade,
    constraint packed_client_id_len check (length(client_id) = 16)
) strict, without rowid;

-- What a page takes with it when it is merged into a larger one.
create index packed_client_page on packed_client (document_id, last_revision);
