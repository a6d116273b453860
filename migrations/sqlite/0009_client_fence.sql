-- Clients that began anew at one server while another may still hold something of theirs. What was
-- received under an older version of the rights is not committed any more: so a refusal holds
-- everywhere, and a text that is handed out holds all that will ever come of what was sent before.
create table client_fence (
    document_id blob    not null,
    client_id   blob    not null,
    -- The version of the document's rights that it began with.
    version     integer not null,
    constraint client_fence_pk primary key (document_id, client_id),
    constraint client_fence_document_fk
        foreign key (document_id) references document (document_id),
    constraint client_fence_version_range check (version > 0)
) strict, without rowid;
