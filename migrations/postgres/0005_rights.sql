-- Who may do what with a document: its tenant, what its link gives, and its people.

-- The wall that a document stands behind. Documents from before belong to the tenant that people
-- without one are in.
alter table document add column tenant_id text not null default '';

-- What somebody may do who knows the document's id and is not among its people. Until now that was
-- to edit, and stays so for documents from before.
alter table document add column link text not null default 'edit'
    constraint document_link_known check (link in ('off', 'view', 'edit'));

-- Counts the changes of owner, link and people. An append names the version that it was accepted
-- under and loses against another: nothing is committed for who may not write any more.
alter table document add column rights_version bigint not null default 0
    constraint document_rights_version_range check (rights_version >= 0);

-- People with a role of their own, which holds whatever the link gives. `none` keeps somebody out.
create table document_member (
    document_id uuid   not null,
    person_id   text   not null,
    role        text   not null,
    added_by    text   not null,
    time_ms     bigint not null,
    constraint document_member_pk primary key (document_id, person_id),
    constraint document_member_document_fk
        foreign key (document_id) references document (document_id),
    constraint document_member_role_known
        check (role in ('editor', 'commenter', 'viewer', 'none'))
);

-- A person's list has what was given to them.
create index document_member_person on document_member (person_id, document_id);

-- Who has opened a document, to show whom its link let in.
create index document_opened_document on document_opened (document_id);
