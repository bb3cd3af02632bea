//! What happens when somebody tries another body's object.
//!
//! `401`, `403` and `404` are how a door stays shut; `ok` is that it opens, whatever the rules say then. The columns:
//! the operation, whose object it is tried on, a member and an administrator of another body, CO-PI's facilitator and
//! admin, and the scope with which an API key of that administrator gets as far as its owner (`-`: only `admin` does,
//! and every other key is 403). Strangers are 401 everywhere, but for what is `public`: there everybody outside is met
//! alike.

use super::Caller;

/// One line of the table.
pub struct Row {
    pub operation: &'static str,
    pub object: &'static str,
    member: &'static str,
    owner: &'static str,
    staff: [&'static str; 2],
    scope: &'static str,
}

impl Row {
    /// How this caller is met.
    pub fn expects(&self, caller: &Caller) -> &'static str {
        match (caller.name.as_str(), caller.staff, caller.scope) {
            (_, Some(column), _) => self.staff[column],
            _ if self.scope == "public" => self.member,
            ("stranger", ..) => "401",
            (_, _, Some(scope)) if scope == "admin" || scope == self.scope => self.owner,
            (_, _, Some(_)) => "403",
            ("owner", ..) => self.owner,
            _ => self.member,
        }
    }
}

/// The table.
pub fn rows() -> Vec<Row> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty());
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [operation, object, member, owner, facilitator, admin, scope] = cells[..] else { panic!("{line}") };
        let object = object.trim_start_matches('-');
        Row { operation, object, member, owner, staff: [facilitator, admin], scope }
    };
    lines.map(row).collect()
}

const TABLE: &str = "
    accept_suggestion             offered                404    404    403    403    challenges:write
    add_adoption                  active                 403    403    ok     ok     -
    add_adoption                  preparing              403    403    ok     ok     -
    add_challenge_to_process      active                 403    403    ok     ok     -
    add_challenge_to_process      preparing              403    403    ok     ok     -
    add_criteria_set_version      -                      403    403    403    ok     -
    add_letter_comment            draft                  404    404    403    403    processes:write
    add_letter_comment            sent                   404    404    403    403    processes:write
    add_letter_template_version   -                      403    403    ok     ok     -
    add_participant               active                 403    403    ok     ok     -
    add_participant               preparing              403    403    ok     ok     -
    add_suggestion                open                   ok     ok     ok     ok     public
    add_timeline_entry            active                 403    403    ok     ok     -
    add_timeline_entry            preparing              403    403    ok     ok     -
    add_written_answer            draft                  404    404    404    404    public
    add_written_answer            published              ok     ok     ok     ok     public
    advance_opi_track             active                 403    403    ok     ok     -
    advance_opi_track             preparing              403    403    ok     ok     -
    answer_question               asked                  403    403    ok     ok     -
    answer_support_request        asked                  403    403    ok     ok     -
    approve_challenge             draft                  403    403    404    404    -
    approve_challenge             submitted              403    403    ok     ok     -
    approve_challenge             withdrawn_draft        403    403    404    404    -
    ask_question                  draft                  404    404    404    404    public
    ask_question                  published              ok     ok     ok     ok     public
    ask_sponsors                  draft                  404    404    403    403    challenges:write
    ask_sponsors                  submitted              403    403    403    403    -
    ask_sponsors                  withdrawn_draft        404    404    403    403    challenges:write
    begin_opi_track               active                 403    403    ok     ok     -
    begin_opi_track               preparing              403    403    ok     ok     -
    cancel_dialogue               draft                  403    403    ok     ok     -
    cancel_dialogue               published              403    403    ok     ok     -
    cancel_succession             its_own                403    403    ok     ok     -
    change_challenge              draft                  404    404    403    403    challenges:write
    change_challenge              submitted              403    403    403    403    -
    change_challenge              withdrawn_draft        404    404    403    403    challenges:write
    change_dialogue               draft                  403    403    ok     ok     -
    change_dialogue               published              403    403    ok     ok     -
    change_letter_of_intent       draft                  403    403    ok     ok     -
    change_letter_of_intent       sent                   403    403    ok     ok     -
    change_library_entry          entry                  403    403    ok     ok     -
    change_need                   own                    404    404    403    403    challenges:write
    change_need                   shared                 404    404    403    403    challenges:write
    change_needs_inbox            closed                 404    404    403    403    challenges:write
    change_needs_inbox            open                   404    404    403    403    challenges:write
    change_organisation           its_own                403    403    ok     ok     -
    change_participant            active,participant    403    403    ok     ok     -
    change_participant            preparing,participant 403    403    404    404    -
    change_process                active                 403    403    ok     ok     -
    change_process                preparing              403    403    ok     ok     -
    change_user                   at_work                403    404    403    ok     -
    change_user                   invited                403    404    403    ok     -
    close_dialogue                draft                  403    403    ok     ok     -
    close_dialogue                published              403    403    ok     ok     -
    close_letter_comments         draft                  403    403    ok     ok     -
    close_letter_comments         sent                   403    403    ok     ok     -
    close_support_request         asked                  403    403    ok     ok     -
    commit_to_process             active                 403    403    ok     ok     -
    commit_to_process             preparing              403    403    ok     ok     -
    decline_challenge             draft                  403    403    404    404    -
    decline_challenge             submitted              403    403    ok     ok     -
    decline_challenge             withdrawn_draft        403    403    404    404    -
    decline_suggestion            offered                404    404    403    403    challenges:write
    delete_api_key                key                    404    404    404    404    -
    draft_dialogue                active                 403    403    ok     ok     -
    draft_dialogue                preparing              403    403    ok     ok     -
    draft_letter_of_intent        active                 403    403    ok     ok     -
    draft_letter_of_intent        preparing              403    403    ok     ok     -
    end_session                   session                404    404    404    404    -
    get_call                      open                   ok     ok     ok     ok     public
    get_challenge                 draft                  404    404    404    404    challenges:read
    get_challenge                 submitted              ok     ok     ok     ok     challenges:read
    get_challenge                 withdrawn_draft        404    404    404    404    challenges:read
    get_challenge_history         draft                  404    404    404    404    challenges:read
    get_challenge_history         submitted              ok     ok     ok     ok     challenges:read
    get_challenge_history         withdrawn_draft        404    404    404    404    challenges:read
    get_criteria_set              -                      ok     ok     ok     ok     public
    get_demand                    active                 ok     ok     ok     ok     public
    get_demand                    preparing              404    404    ok     ok     public
    get_dialogue                  draft                  404    404    ok     ok     public
    get_dialogue                  published              ok     ok     ok     ok     public
    get_dialogue_history          draft                  403    403    ok     ok     -
    get_dialogue_history          published              403    403    ok     ok     -
    get_dialogue_report           draft                  403    403    ok     ok     -
    get_dialogue_report           published              403    403    ok     ok     -
    get_dispatch                  dispatch               403    403    ok     ok     -
    get_ledger                    draft                  403    403    ok     ok     -
    get_ledger                    published              403    403    ok     ok     -
    get_letter_of_intent          draft                  404    404    ok     ok     public
    get_letter_of_intent          sent                   404    404    ok     ok     public
    get_letter_of_intent_document draft                  404    404    ok     ok     public
    get_letter_of_intent_document sent                   404    404    ok     ok     public
    get_letter_of_intent_history  draft                  404    404    ok     ok     processes:read
    get_letter_of_intent_history  sent                   404    404    ok     ok     processes:read
    get_library_entry             entry                  ok     ok     ok     ok     public
    get_need                      own                    404    404    403    403    challenges:read
    get_need                      shared                 404    404    403    403    challenges:read
    get_need_history              own                    404    404    403    403    challenges:read
    get_need_history              shared                 404    404    403    403    challenges:read
    get_needs_inbox               closed                 404    404    403    403    challenges:read
    get_needs_inbox               open                   404    404    403    403    challenges:read
    get_needs_inbox_at            closed                 ok     ok     ok     ok     public
    get_needs_inbox_at            open                   ok     ok     ok     ok     public
    get_opi_track                 active                 403    403    ok     ok     -
    get_opi_track                 preparing              404    404    404    404    processes:read
    get_organisation              its_own                ok     ok     ok     ok     public
    get_organisation_history      its_own                403    403    ok     ok     -
    get_process                   active                 ok     ok     ok     ok     public
    get_process                   preparing              404    404    ok     ok     public
    get_process_history           active                 ok     ok     ok     ok     processes:read
    get_process_history           preparing              404    404    ok     ok     processes:read
    get_spread                    active                 ok     ok     ok     ok     public
    get_spread                    preparing              404    404    ok     ok     public
    get_succession                its_own                403    403    ok     ok     -
    get_suggestion                offered                404    404    ok     ok     challenges:read
    get_support_request           asked                  404    404    ok     ok     challenges:read
    get_user                      at_work                403    404    403    ok     -
    get_user                      invited                403    404    403    ok     -
    get_version                   draft                  404    404    404    404    public
    get_version                   published              ok     ok     ok     ok     public
    invite_to_suggestion          offered                403    403    ok     ok     -
    invite_user_again             at_work                403    404    403    ok     -
    invite_user_again             invited                403    404    403    ok     -
    join_process                  active                 ok     ok     403    403    processes:write
    join_process                  preparing              404    404    403    403    processes:write
    judge_match                   draft,match           404    404    404    404    challenges:write
    judge_match                   submitted,match       ok     ok     ok     ok     challenges:write
    judge_match                   withdrawn_draft,match 404    404    404    404    challenges:write
    leave_need                    closed                 ok     ok     ok     ok     public
    leave_need                    open                   ok     ok     ok     ok     public
    list_adoptions                active                 ok     ok     ok     ok     public
    list_adoptions                preparing              404    404    ok     ok     public
    list_challenge_needs          draft                  404    404    404    404    challenges:read
    list_challenge_needs          submitted              ok     ok     ok     ok     challenges:read
    list_challenge_needs          withdrawn_draft        404    404    404    404    challenges:read
    list_challenge_suggestions    draft                  404    404    404    404    challenges:read
    list_challenge_suggestions    submitted              ok     ok     ok     ok     challenges:read
    list_challenge_suggestions    withdrawn_draft        404    404    404    404    challenges:read
    list_commitments              active                 403    403    ok     ok     -
    list_commitments              preparing              404    404    ok     ok     processes:read
    list_events                   draft                  404    404    ok     ok     public
    list_events                   published              ok     ok     ok     ok     public
    list_letter_comments          draft                  404    404    ok     ok     processes:read
    list_letter_comments          sent                   404    404    ok     ok     processes:read
    list_letter_versions          draft                  404    404    ok     ok     processes:read
    list_letter_versions          sent                   404    404    ok     ok     processes:read
    list_letters_of_intent        active                 ok     ok     ok     ok     public
    list_letters_of_intent        preparing              404    404    ok     ok     public
    list_likely_bodies            draft                  404    404    404    404    challenges:read
    list_likely_bodies            submitted              ok     ok     ok     ok     challenges:read
    list_likely_bodies            withdrawn_draft        404    404    404    404    challenges:read
    list_matches                  draft                  404    404    404    404    challenges:read
    list_matches                  submitted              ok     ok     ok     ok     challenges:read
    list_matches                  withdrawn_draft        404    404    404    404    challenges:read
    list_process_challenges       active                 ok     ok     ok     ok     challenges:read
    list_process_challenges       preparing              404    404    ok     ok     challenges:read
    list_process_needs            active                 ok     ok     ok     ok     public
    list_process_needs            preparing              404    404    ok     ok     public
    list_questions                draft                  404    404    ok     ok     public
    list_questions                published              ok     ok     ok     ok     public
    list_signups                  draft                  403    403    ok     ok     -
    list_signups                  published              403    403    ok     ok     -
    list_sponsors                 draft                  404    404    404    404    challenges:read
    list_sponsors                 submitted              ok     ok     ok     ok     challenges:read
    list_sponsors                 withdrawn_draft        404    404    404    404    challenges:read
    list_timeline                 active                 ok     ok     ok     ok     public
    list_timeline                 preparing              404    404    ok     ok     public
    list_versions                 draft                  404    404    ok     ok     public
    list_versions                 published              ok     ok     ok     ok     public
    list_written_answers          draft                  403    403    ok     ok     -
    list_written_answers          published              403    403    ok     ok     -
    mark_opi_item                 active                 404    404    ok     ok     processes:write
    mark_opi_item                 preparing              404    404    ok     ok     processes:write
    name_letter_signatory         draft                  403    403    ok     ok     -
    name_letter_signatory         sent                   403    403    ok     ok     -
    open_letter_comments          draft                  403    403    ok     ok     -
    open_letter_comments          sent                   403    403    ok     ok     -
    pause_dispatch                dispatch               403    403    ok     ok     -
    plan_succession               its_own                403    403    ok     ok     -
    press_call_page               open                   ok     ok     ok     ok     public
    press_follow                  draft                  404    404    404    404    public
    press_follow                  published              ok     ok     ok     ok     public
    press_need_recognition        closed                 ok     ok     ok     ok     public
    press_need_recognition        open                   ok     ok     ok     ok     public
    press_needs_inbox             closed                 ok     ok     ok     ok     public
    press_needs_inbox             open                   ok     ok     ok     ok     public
    press_question                draft                  404    404    404    404    public
    press_question                published              ok     ok     ok     ok     public
    press_signup                  draft                  404    404    404    404    public
    press_signup                  published              ok     ok     ok     ok     public
    press_written_answer          draft                  404    404    404    404    public
    press_written_answer          published              ok     ok     ok     ok     public
    publish_dialogue              draft                  403    403    ok     ok     -
    publish_dialogue              published              403    403    ok     ok     -
    reach_adoption_stage          bought                 403    403    ok     ok     -
    recognise_challenge           draft                  404    404    403    403    challenges:write
    recognise_challenge           submitted              ok     ok     403    403    challenges:write
    recognise_challenge           withdrawn_draft        404    404    403    403    challenges:write
    recognise_need                own                    404    404    403    403    challenges:write
    recognise_need                shared                 ok     ok     403    403    challenges:write
    recognise_need_at_inbox       closed                 ok     ok     ok     ok     public
    recognise_need_at_inbox       open                   ok     ok     ok     ok     public
    reject_question               asked                  403    403    ok     ok     -
    release_queue_item            draft                  403    403    404    404    -
    release_queue_item            submitted              403    403    ok     ok     -
    release_queue_item            withdrawn_draft        403    403    404    404    -
    remove_library_entry          entry                  403    403    ok     ok     -
    renew_letter_of_intent        draft                  403    403    ok     ok     -
    renew_letter_of_intent        sent                   403    403    ok     ok     -
    renew_opi_track               active                 403    403    ok     ok     -
    renew_opi_track               preparing              403    403    ok     ok     -
    report_outcome_for_body       bought                 403    403    ok     ok     -
    resolve_letter_comment        comment                403    403    ok     ok     -
    resume_dispatch               dispatch               403    403    ok     ok     -
    return_challenge              draft                  403    403    404    404    -
    return_challenge              submitted              403    403    ok     ok     -
    return_challenge              withdrawn_draft        403    403    404    404    -
    send_letter_of_intent         draft                  403    403    ok     ok     -
    send_letter_of_intent         sent                   403    403    ok     ok     -
    send_signatory_again          asked                  403    403    ok     ok     -
    set_suggestion_aside          offered                403    403    ok     ok     -
    show_call_page                open                   ok     ok     ok     ok     public
    show_dialogue                 draft                  404    404    404    404    public
    show_dialogue                 published              ok     ok     ok     ok     public
    show_dialogue_version         draft                  404    404    404    404    public
    show_dialogue_version         published              ok     ok     ok     ok     public
    show_needs_inbox              closed                 ok     ok     ok     ok     public
    show_needs_inbox              open                   ok     ok     ok     ok     public
    show_process                  active                 ok     ok     ok     ok     public
    show_process                  preparing              404    404    404    404    public
    sign_up                       draft                  404    404    404    404    public
    sign_up                       published              ok     ok     ok     ok     public
    step_process                  active                 403    403    ok     ok     -
    step_process                  preparing              403    403    ok     ok     -
    submit_challenge              draft                  404    404    403    403    challenges:write
    submit_challenge              submitted              404    404    403    403    challenges:write
    submit_challenge              withdrawn_draft        404    404    403    403    challenges:write
    take_challenge_out_of_process active,grouped        403    403    ok     ok     -
    take_challenge_out_of_process preparing,grouped     403    403    404    404    -
    take_queue_item               draft                  403    403    404    404    -
    take_queue_item               submitted              403    403    ok     ok     -
    take_queue_item               withdrawn_draft        403    403    404    404    -
    unschedule_dialogue           draft                  403    403    ok     ok     -
    unschedule_dialogue           published              403    403    ok     ok     -
    withdraw_challenge            draft                  404    404    403    403    challenges:write
    withdraw_challenge            submitted              403    403    403    403    -
    withdraw_challenge            withdrawn_draft        404    404    403    403    challenges:write
    withdraw_letter_of_intent     draft                  403    403    ok     ok     -
    withdraw_letter_of_intent     sent                   403    403    ok     ok     -
    withdraw_signature            asked                  403    403    ok     ok     -
";
