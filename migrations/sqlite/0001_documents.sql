-- Documents with their operation logs, snapshots and clients; people; settings.
--
-- Ids are 16 bytes, hashes 32; times are milliseconds since 1970; lengths count Unicode scalar
-- values. A document's head and its log move in one transaction, or not at all.

create table document (
    document_id  blob    not null,
    title        text    not null,
    -- The title in lower case, since SQLite folds ASCII only.
    title_search text    not null,
    owner_id     text    not null,
    -- Which line of history the revisions belong to.
    epoch        blob    not null,
    -- The key under which the chain hashes inserted text.
    text_key     blob    not null,
    -- The head: the last committed revision and its chain hash.
    revision     integer not null,
    chain        blob    not null,
    len_chars    integer not null,
    created_ms   integer not null,
    updated_ms   integer not null,
    deleted_ms   integer,
    constraint document_pk primary key (document_id),
    constraint document_id_len check (length(document_id) = 16),
    constraint document_epoch_len check (length(epoch) = 16),
    constraint document_text_key_len check (length(text_key) = 32),
    constraint document_chain_len check (length(chain) = 32),
    constraint document_revision_range check (revision >= 0),
    constraint document_len_chars_range check (len_chars >= 0)
) strict, without rowid;

create index document_owner on document (owner_id, document_id);

-- One row per committed operation. The primary key decides who commits a revision, between
-- servers too.
create table operation (
    document_id blob    not null,
    revision    integer not null,
    client_id   blob    not null,
    client_seq  integer not null,
    author_id   text    not null,
    time_ms     integer not null,
    -- The operation in its binary form.
    body        blob    not null,
    chain       blob    not null,
    constraint operation_pk primary key (document_id, revision),
    constraint operation_document_fk foreign key (document_id) references document (document_id),
    constraint operation_revision_range check (revision > 0),
    constraint operation_client_id_len check (length(client_id) = 16),
    constraint operation_client_seq_range check (client_seq > 0),
    constraint operation_chain_len check (length(chain) = 32)
) strict, without rowid;

-- A submission is committed once; a resend from long ago is found here.
create unique index operation_client_seq on operation (document_id, client_id, client_seq);

-- Each client's last committed submission, written with it.
create table client_progress (
    document_id     blob    not null,
    client_id       blob    not null,
    author_id       text    not null,
    last_seq        integer not null,
    last_revision   integer not null,
    submission_hash integer not null,
    constraint client_progress_pk primary key (document_id, client_id),
    constraint client_progress_document_fk
        foreign key (document_id) references document (document_id),
    constraint client_progress_client_id_len check (length(client_id) = 16)
) strict, without rowid;

create table snapshot (
    document_id blob    not null,
    revision    integer not null,
    body        text    not null,
    -- BLAKE3 of the body.
    body_hash   blob    not null,
    -- The chain hash of the revision.
    chain       blob    not null,
    time_ms     integer not null,
    constraint snapshot_pk primary key (document_id, revision),
    constraint snapshot_document_fk foreign key (document_id) references document (document_id),
    constraint snapshot_body_hash_len check (length(body_hash) = 32),
    constraint snapshot_chain_len check (length(chain) = 32)
) strict;

create table person (
    person_id  text    not null,
    name       text    not null,
    color      integer not null,
    created_ms integer not null,
    constraint person_pk primary key (person_id),
    constraint person_color_range check (color between 0 and 11)
) strict, without rowid;

-- What a person's list shows: documents they created or opened.
create table document_opened (
    person_id   text    not null,
    document_id blob    not null,
    opened_ms   integer not null,
    constraint document_opened_pk primary key (person_id, document_id),
    constraint document_opened_document_fk
        foreign key (document_id) references document (document_id)
) strict, without rowid;

-- Secrets and settings of the whole installation.
create table setting (
    name  text not null,
    value blob not null,
    constraint setting_pk primary key (name)
) strict, without rowid;
