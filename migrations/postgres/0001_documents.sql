-- Documents with their operation logs, snapshots and clients; people; settings.
--
-- Hashes are 32 bytes; times are milliseconds since 1970; lengths count Unicode scalar values. A
-- document's head and its log move in one statement, or not at all.

create table document (
    document_id  uuid   not null,
    title        text   not null,
    -- The title in lower case, folded as SQLite's is: by the server.
    title_search text   not null,
    owner_id     text   not null,
    -- Which line of history the revisions belong to.
    epoch        uuid   not null,
    -- The key under which the chain hashes inserted text.
    text_key     bytea  not null,
    -- The head: the last committed revision and its chain hash.
    revision     bigint not null,
    chain        bytea  not null,
    len_chars    bigint not null,
    created_ms   bigint not null,
    updated_ms   bigint not null,
    deleted_ms   bigint,
    constraint document_pk primary key (document_id),
    constraint document_text_key_len check (octet_length(text_key) = 32),
    constraint document_chain_len check (octet_length(chain) = 32),
    constraint document_revision_range check (revision >= 0),
    constraint document_len_chars_range check (len_chars >= 0)
)
-- A head moves with every append: room on its page lets it move without touching an index.
with (fillfactor = 50);

create index document_owner on document (owner_id, document_id);

-- One row per committed operation. The primary key decides who commits a revision, between
-- servers too.
create table operation (
    document_id uuid   not null,
    revision    bigint not null,
    client_id   uuid   not null,
    client_seq  bigint not null,
    author_id   text   not null,
    time_ms     bigint not null,
    -- The operation in its binary form.
    body        bytea  not null,
    chain       bytea  not null,
    constraint operation_pk primary key (document_id, revision),
    constraint operation_document_fk foreign key (document_id) references document (document_id),
    constraint operation_revision_range check (revision > 0),
    constraint operation_client_seq_range check (client_seq > 0),
    constraint operation_chain_len check (octet_length(chain) = 32)
);

-- A submission is committed once; a resend from long ago is found here.
create unique index operation_client_seq on operation (document_id, client_id, client_seq);

-- Each client's last committed submission, written with it.
create table client_progress (
    document_id     uuid   not null,
    client_id       uuid   not null,
    author_id       text   not null,
    last_seq        bigint not null,
    last_revision   bigint not null,
    submission_hash bigint not null,
    constraint client_progress_pk primary key (document_id, client_id),
    constraint client_progress_document_fk
        foreign key (document_id) references document (document_id)
)
with (fillfactor = 50);

create table snapshot (
    document_id uuid   not null,
    revision    bigint not null,
    body        text   not null,
    -- BLAKE3 of the body.
    body_hash   bytea  not null,
    -- The chain hash of the revision.
    chain       bytea  not null,
    time_ms     bigint not null,
    constraint snapshot_pk primary key (document_id, revision),
    constraint snapshot_document_fk foreign key (document_id) references document (document_id),
    constraint snapshot_body_hash_len check (octet_length(body_hash) = 32),
    constraint snapshot_chain_len check (octet_length(chain) = 32)
);

create table person (
    person_id  text    not null,
    name       text    not null,
    color      bigint  not null,
    created_ms bigint  not null,
    constraint person_pk primary key (person_id),
    constraint person_color_range check (color between 0 and 11)
);

-- What a person's list shows: documents they created or opened.
create table document_opened (
    person_id   text   not null,
    document_id uuid   not null,
    opened_ms   bigint not null,
    constraint document_opened_pk primary key (person_id, document_id),
    constraint document_opened_document_fk
        foreign key (document_id) references document (document_id)
);

-- Secrets and settings of the whole installation.
create table setting (
    name  text  not null,
    value bytea not null,
    constraint setting_pk primary key (name)
);
