-- What people keep about a document's history: named versions, and what each of them last looked at.

create table version (
    version_id  blob    not null,
    document_id blob    not null,
    revision    integer not null,
    name        text    not null,
    author_id   text    not null,
    time_ms     integer not null,
    constraint version_pk primary key (version_id),
    constraint version_document_fk foreign key (document_id) references document (document_id),
    constraint version_id_len check (length(version_id) = 16),
    constraint version_revision_range check (revision >= 0)
) strict, without rowid;

create index version_document on version (document_id, revision);

-- The latest revision that a person has looked at, over all devices.
create table document_seen (
    document_id blob    not null,
    person_id   text    not null,
    revision    integer not null,
    time_ms     integer not null,
    constraint document_seen_pk primary key (document_id, person_id),
    constraint document_seen_document_fk
        foreign key (document_id) references document (document_id),
    constraint document_seen_revision_range check (revision >= 0)
) strict, without rowid;

-- A document that is being imported. It is marked as deleted until it is whole, so that nobody is
-- served a part of it; taking this row away and the mark off it is one transaction.
create table document_import (
    document_id blob    not null,
    started_ms  integer not null,
    constraint document_import_pk primary key (document_id),
    constraint document_import_document_fk
        foreign key (document_id) references document (document_id)
) strict, without rowid;
