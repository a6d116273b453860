-- Old history, many operations to a row. Pages cover a document's revisions from 1 without a gap;
-- behind the last page the log goes on in table operation.

create table packed_page (
    document_id    uuid   not null,
    first_revision bigint not null,
    last_revision  bigint not null,
    -- The chain hash of the last revision.
    chain          bytea  not null,
    -- When the last revision was committed, to find the page of a time.
    last_ms        bigint not null,
    -- The page; docs/storage.md has its format.
    body           bytea  not null,
    -- BLAKE3 of everything above.
    row_hash       bytea  not null,
    constraint packed_page_pk primary key (document_id, last_revision),
    constraint packed_page_document_fk
        foreign key (document_id) references document (document_id),
    constraint packed_page_revision_range
        check (first_revision > 0 and last_revision >= first_revision),
    constraint packed_page_chain_len check (octet_length(chain) = 32),
    constraint packed_page_row_hash_len check (octet_length(row_hash) = 32)
);

-- A page is compressed already.
alter table packed_page alter column body set storage external;

-- Which numbers of a client are in which page: a resend from long ago is found without opening
-- every page.
create table packed_client (
    document_id   uuid   not null,
    client_id     uuid   not null,
    last_revision bigint not null,
    first_seq     bigint not null,
    last_seq      bigint not null,
    constraint packed_client_pk primary key (document_id, client_id, last_revision),
    constraint packed_client_page_fk foreign key (document_id, last_revision)
        references packed_page (document_id, last_revision) on delete cascade
);

-- What a page takes with it when it is merged into a larger one.
create index packed_client_page on packed_client (document_id, last_revision);
