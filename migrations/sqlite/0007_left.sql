-- Who has left a document keeps a role that is lower than what its link may give: else they would
-- come back with more than they had. It is not in their list any more.
alter table document_member add column has_left integer not null default 0
    constraint document_member_left_known check (has_left in (0, 1));
