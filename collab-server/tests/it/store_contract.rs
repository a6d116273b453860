//! What every store promises, as one suite that runs on each of them.
//!
//! A case gets a fresh database. `contract!` names the cases once; each store's module lists them
//! as tests of its own, so that a failure names the case and the database.

mod appends;
mod chat;
mod damage;
mod history;
mod imports;
mod lists;
mod notifications;
mod packed;
mod past;
mod postgres;
mod rights;
mod sqlite;
mod support;

use self::support::Database;

macro_rules! contract {
    ($database:ident: $($module:ident { $($case:ident),* $(,)? })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = super::support::$database::create().await;
                super::$module::$case(&database).await;
                super::Database::remove(database).await;
            }
        )*)*
    };
}

macro_rules! every_case {
    ($database:ident) => {
        contract! { $database:
            appends {
                appended_operations_are_read_back_in_order,
                one_of_five_simultaneous_appends_wins,
                append_on_an_old_head_is_a_conflict_and_writes_nothing,
                append_behind_a_lost_one_is_a_conflict_though_the_log_is_as_long,
                append_ahead_of_the_head_is_a_conflict,
                append_to_a_missing_document_writes_nothing,
                append_to_a_deleted_document_is_a_conflict,
                number_that_a_client_used_is_a_conflict,
                client_belongs_to_its_first_author,
                progress_moves_with_the_append,
                progress_of_a_new_client_is_none,
                old_submission_is_found_by_its_number,
                outcome_that_nobody_waited_for_is_found_in_the_log,
                chained_appends_sent_at_once_commit_in_order,
                losing_append_leaves_others_of_its_moment_alone,
                appends_to_many_documents_at_once_all_commit,
                huge_text_survives,
                every_kind_of_character_survives,
                head_time_and_length_move_with_the_append,
            }
            history {
                new_document_is_empty,
                document_begins_with_its_text_as_revision_one,
                missing_document_is_an_error_not_an_empty_text,
                creating_twice_is_refused_and_changes_nothing,
                nul_is_never_stored,
                carriage_return_is_refused_in_a_first_text,
                load_gives_the_newest_snapshot_and_the_tail_behind_it,
                snapshot_ahead_of_the_log_is_refused,
                snapshot_of_a_revision_is_kept_as_it_is,
                only_the_newest_two_snapshots_stay,
                history_stays_whole_behind_snapshots,
                page_is_bounded_by_operations_and_by_bytes,
                page_behind_the_head_is_empty,
                authors_of_the_tail_come_with_the_load,
                loads_while_appends_run_are_each_of_one_moment,
                snapshots_while_appends_run_fit_the_log,
            }
            packed {
                packing_changes_no_answer,
                pages_are_read_one_by_one_and_make_the_text,
                only_what_a_snapshot_covers_is_packed,
                page_that_is_not_what_the_log_holds_is_refused,
                appends_and_two_packers_at_once_lose_nothing,
                old_snapshots_stay_while_the_packed_log_outweighs_them,
                everything_there_is_can_be_listed,
            }
            lists {
                list_has_own_and_opened_documents_latest_first,
                list_pages_have_every_document_once,
                search_ignores_case_in_every_script,
                search_takes_signs_of_patterns_literally,
                deleted_documents_are_listed_apart_and_come_back,
                deleting_twice_keeps_the_first_time,
                rename_is_seen_and_dated,
                opening_a_missing_document_is_refused,
                person_is_created_and_changed,
                first_value_of_a_setting_stays,
                closed_store_fails_and_does_not_hang,
            }
            imports {
                imported_document_is_whole_or_unseen,
                import_goes_on_where_it_stopped,
                import_takes_nothing_out_of_order,
                import_never_touches_a_document_that_is_there,
            }
            rights {
                rights_are_kept_and_each_change_is_counted,
                change_that_does_not_apply_changes_nothing,
                append_under_older_rights_is_a_conflict_and_writes_nothing,
                of_an_append_and_a_change_at_once_the_append_is_first_or_nothing,
                simultaneous_changes_are_all_counted,
                where_many_documents_stand_comes_in_one_answer,
                a_client_that_begins_anew_is_named_and_what_was_in_flight_loses,
                of_two_servers_one_lets_a_client_begin_anew,
                list_has_what_the_person_may_open_within_the_tenant,
            }
            chat {
                messages_are_numbered_in_the_order_they_were_taken,
                message_sent_again_is_there_once,
                the_same_message_sent_many_times_at_once_is_there_once,
                another_message_under_the_same_id_is_refused,
                simultaneous_messages_leave_no_gap,
                message_under_older_rights_is_refused,
                of_a_message_and_a_change_of_rights_at_once_the_message_is_first_or_nothing,
                edited_and_deleted_messages_keep_their_place,
                only_its_author_changes_a_message,
                who_was_away_is_given_what_has_changed,
                pages_lead_backwards_to_the_first_message,
                what_is_read_is_kept_per_person_and_never_goes_back,
                unread_is_what_others_have_said_behind_it,
                deleted_or_missing_document_takes_no_message,
                what_a_message_is_about_and_whom_it_names_is_kept,
            }
            notifications {
                notifications_are_numbered_and_come_latest_first,
                notification_under_a_key_that_is_there_is_made_once,
                the_same_notification_told_many_times_at_once_is_there_once,
                simultaneous_notifications_leave_no_gap,
                edits_told_anew_add_up_until_they_are_read,
                what_is_read_is_one_change_and_read_once,
                who_was_away_is_given_what_changed_since,
                pages_of_notifications_lead_back_to_the_first,
                of_too_many_the_oldest_read_ones_go_first,
                each_person_of_each_tenant_has_their_own,
                every_kind_of_notification_is_kept_as_it_was,
            }
            past {
                nearest_snapshot_is_not_newer_than_the_revision,
                time_lies_at_the_last_revision_that_is_not_later,
                activity_counts_each_author_in_each_stretch,
                version_is_named_renamed_and_forgotten,
                version_that_was_deleted_is_not_renamed_back,
                nothing_is_noted_about_a_revision_ahead_of_the_log,
                seen_mark_never_goes_back,
                missing_document_has_no_past,
            }
        }
    };
}

mod in_memory {
    every_case! { Memory }
}

mod in_sqlite {
    every_case! { Sqlite }
}

mod in_postgres {
    every_case! { Postgres }
}
