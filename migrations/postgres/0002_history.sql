-- What people keep about a document's history: named versions, and what each of them last looked at.

create table version (
    version_id  uuid   not null,
    document_id uuid   not null,
    revision    bigint not null,
    name        text   not null,
    author_id   text   not null,
    time_ms     bigint not null,
    constraint version_pk primary key (version_id),
    constraint version_document_fk foreign key (document_id) references document (document_id),
    constraint version_revision_range check (revision >= 0)
);

create index version_document on version (document_id, revision);

-- The latest revision that a person has looked at, over all devices.
create table document_seen (
    document_id uuid   not null,
    person_id   text   not null,
    revision    bigint not null,
    time_ms     bigint not null,
    constraint document_seen_pk primary key (document_id, person_id),
    constraint document_seen_document_fk
        foreign key (document_id) references document (document_id),
    constraint document_seen_revision_range check (revision >= 0)
);

-- A document that is being imported. It is marked as deleted until it is whole, so that nobody is
-- served a part of it; taking this row away and the mark off it is one transaction.
create table document_import (
    document_id uuid   not null,
    started_ms  bigint not null,
    constraint document_import_pk primary key (document_id),
    constraint document_import_document_fk
        foreign key (document_id) references document (document_id)
);
