//! The tables, as Diesel sees them. Each is named in one slice's `store.rs` and nowhere else. A row that is added tells its
//! empty fields too (`treat_none_as_default_value = false`): a statement that leaves them out is prepared anew each time.

diesel::table! {
    change_counter (one) {
        one -> Integer,
        value -> BigInt,
    }
}

diesel::table! {
    fact (change, turn) {
        change -> BigInt,
        turn -> BigInt,
        at -> Timestamp,
        subject -> Text,
        subject_id -> Text,
        deed -> Text,
        actor_id -> Nullable<Text>,
        actor_name -> Text,
        actor_organisation_id -> Nullable<Text>,
        reason -> Nullable<Text>,
        data -> Text,
    }
}

diesel::table! {
    delivery (id) {
        id -> Text,
        urgency -> Integer,
        recipient -> Text,
        recipient_key -> Text,
        language -> Text,
        letter -> Nullable<Text>,
        dispatch_id -> Nullable<Text>,
        notice_version_id -> Nullable<Text>,
        subscription_id -> Nullable<Text>,
        why -> Nullable<Text>,
        status -> Text,
        attempts -> Integer,
        due_at -> Timestamp,
        leased_until -> Nullable<Timestamp>,
        queued_at -> Timestamp,
        settled_at -> Nullable<Timestamp>,
        answer -> Nullable<Text>,
        digest -> Nullable<Text>,
        bounced_at -> Nullable<Timestamp>,
        bounce -> Nullable<Text>,
    }
}

diesel::table! {
    postmark (id) {
        id -> Text,
        marked_at -> Timestamp,
        letters -> Text,
    }
}

diesel::table! {
    bounce (delivery_id) {
        delivery_id -> Text,
        address_hash -> Text,
        bounced_at -> Timestamp,
    }
}

diesel::table! {
    suppression (address_hash) {
        address_hash -> Text,
        reason -> Text,
        suppressed_at -> Timestamp,
    }
}

diesel::table! {
    confirmation_request (id) {
        id -> Text,
        recipient_key -> Text,
        asked_at -> Timestamp,
    }
}

diesel::table! {
    idempotency (principal, key) {
        principal -> Text,
        key -> Text,
        request -> Text,
        status -> Nullable<Integer>,
        headers -> Nullable<Text>,
        body -> Nullable<Text>,
        begun_at -> Timestamp,
    }
}

diesel::table! {
    service_secret (one) {
        one -> Integer,
        secret -> Text,
    }
}

diesel::table! {
    needs_inbox (id) {
        id -> Text,
        organisation_id -> Text,
        address -> Text,
        title -> Text,
        asks -> Text,
        language -> Text,
        open -> Bool,
        version -> BigInt,
        changed -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    need (id) {
        id -> Text,
        inbox_id -> Text,
        organisation_id -> Text,
        told -> Text,
        state -> Text,
        state_at -> Timestamp,
        state_by -> Text,
        reason -> Nullable<Text>,
        challenge_id -> Nullable<Text>,
        process_id -> Nullable<Text>,
        shared -> Bool,
        email -> Nullable<Text>,
        language -> Text,
        left_at -> Timestamp,
        version -> BigInt,
        changed -> BigInt,
    }
}

diesel::table! {
    need_recognition (id) {
        id -> Text,
        need_id -> Text,
        organisation_id -> Text,
        department -> Text,
        department_key -> Text,
        how_often -> Nullable<Text>,
        note -> Text,
        said_by -> Text,
        said_at -> Timestamp,
    }
}

diesel::table! {
    suggestion (id) {
        id -> Text,
        call_id -> Text,
        told -> Text,
        state -> Text,
        state_at -> Timestamp,
        reason -> Nullable<Text>,
        organisation_id -> Nullable<Text>,
        challenge_id -> Nullable<Text>,
        email -> Nullable<Text>,
        language -> Text,
        left_at -> Timestamp,
        version -> BigInt,
        changed -> BigInt,
    }
}

diesel::table! {
    support_request (id) {
        id -> Text,
        kind -> Text,
        user_group -> Text,
        text -> Text,
        organisation_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
        email -> Nullable<Text>,
        language -> Text,
        state -> Text,
        state_at -> Timestamp,
        answer -> Nullable<Text>,
        reason -> Nullable<Text>,
        asked_at -> Timestamp,
        version -> BigInt,
        changed -> BigInt,
    }
}

diesel::table! {
    organisation (id) {
        id -> Text,
        name -> Text,
        name_key -> Text,
        kind -> Text,
        cvr -> Nullable<Text>,
        country -> Text,
        nuts -> Nullable<Text>,
        valid_from -> Nullable<Date>,
        valid_to -> Nullable<Date>,
        successor_id -> Nullable<Text>,
        version -> BigInt,
        changed -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        handed_over_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    user_account (id) {
        id -> Text,
        email -> Text,
        email_key -> Text,
        name -> Text,
        role -> Text,
        organisation_id -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        created_at -> Timestamp,
        version -> BigInt,
        changed -> BigInt,
        deactivated_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    api_key (id) {
        id -> Text,
        user_id -> Text,
        name -> Text,
        scopes -> Text,
        key_hash -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        last_used_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    session (id) {
        id -> Text,
        user_id -> Text,
        created_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
        last_used_at -> Nullable<Timestamp>,
        device -> Text,
        network -> Text,
    }
}

diesel::table! {
    refresh_token (token_hash) {
        token_hash -> Text,
        session_id -> Text,
        issued_at -> Timestamp,
        expires_at -> Timestamp,
        spent_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sign_in_attempt (id) {
        id -> Text,
        account_key -> Text,
        place_key -> Text,
        tried_at -> Timestamp,
    }
}

diesel::table! {
    sign_in_place (account_key, place_key) {
        account_key -> Text,
        place_key -> Text,
        signed_in_at -> Timestamp,
    }
}

diesel::table! {
    password_request (id) {
        id -> Text,
        email -> Text,
        language -> Text,
        asked_at -> Timestamp,
    }
}

diesel::table! {
    dialogue (id) {
        id -> Text,
        process_id -> Text,
        status -> Text,
        notice -> Text,
        words_key -> Text,
        published_at -> Nullable<Timestamp>,
        number -> Nullable<Integer>,
        ended_at -> Nullable<Timestamp>,
        ending -> Nullable<Text>,
        version -> BigInt,
        changed -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    dialogue_version (id) {
        id -> Text,
        dialogue_id -> Text,
        number -> Integer,
        kind -> Text,
        notice -> Text,
        words -> Nullable<Text>,
        published_at -> Timestamp,
        published_by -> Text,
    }
}

diesel::table! {
    question (id) {
        id -> Text,
        dialogue_id -> Text,
        email -> Nullable<Text>,
        asker_key -> Text,
        asker -> Nullable<Integer>,
        text -> Text,
        language -> Text,
        status -> Text,
        answer -> Nullable<Text>,
        settled_at -> Nullable<Timestamp>,
        changed -> BigInt,
        asked_at -> Timestamp,
    }
}

diesel::table! {
    signup (id) {
        id -> Text,
        event_id -> Text,
        dialogue_id -> Text,
        company -> Text,
        cvr -> Nullable<Text>,
        name -> Text,
        email -> Text,
        email_key -> Text,
        language -> Text,
        status -> Text,
        held_until -> Nullable<Timestamp>,
        slot -> Nullable<Timestamp>,
        signed_up_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    ledger_entry (number) {
        number -> BigInt,
        at -> Timestamp,
        dialogue_id -> Text,
        deed -> Text,
        data -> Text,
        hash -> Text,
    }
}

diesel::table! {
    written_answer (id) {
        id -> Text,
        dialogue_id -> Text,
        company -> Text,
        cvr -> Nullable<Text>,
        name -> Text,
        email -> Text,
        answers -> Text,
        confidential -> Nullable<Text>,
        receipt -> Text,
        late -> Integer,
        received_at -> Timestamp,
    }
}

diesel::table! {
    subscription (id) {
        id -> Text,
        email -> Text,
        email_key -> Text,
        language -> Text,
        frequency -> Text,
        filter -> Text,
        status -> Text,
        consent_text -> Text,
        consent_at -> Timestamp,
        consent_source -> Text,
        confirmed_at -> Nullable<Timestamp>,
        unsubscribed_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        version -> BigInt,
    }
}

diesel::table! {
    dispatch (id) {
        id -> Text,
        dialogue_id -> Text,
        notice_version_id -> Text,
        status -> Text,
        place -> Text,
        opened_at -> Timestamp,
        expanded_at -> Nullable<Timestamp>,
        done_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    dispatch_pause (dispatch_id) {
        dispatch_id -> Text,
        status -> Text,
        paused_at -> Timestamp,
    }
}

diesel::joinable!(api_key -> user_account (user_id));
diesel::joinable!(refresh_token -> session (session_id));
diesel::joinable!(session -> user_account (user_id));
diesel::allow_tables_to_appear_in_same_query!(api_key, user_account);
diesel::allow_tables_to_appear_in_same_query!(session, user_account);
diesel::allow_tables_to_appear_in_same_query!(refresh_token, session);

diesel::table! {
    criteria_set (key, version) {
        key -> Text,
        version -> Integer,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    call (id) {
        id -> Text,
        title -> Text,
        theme -> Text,
        description -> Text,
        criteria_set -> Text,
        opens_at -> Timestamp,
        closes_at -> Nullable<Timestamp>,
        changed -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    challenge (id) {
        id -> Text,
        organisation_id -> Text,
        call_id -> Nullable<Text>,
        theme -> Text,
        description -> Text,
        words -> Text,
        status -> Text,
        status_at -> Timestamp,
        status_by -> Text,
        reason -> Nullable<Text>,
        overridden -> Bool,
        submitted_at -> Nullable<Timestamp>,
        process_id -> Nullable<Text>,
        assessment -> Text,
        version -> BigInt,
        changed -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    challenge_cpv (challenge_id, code) {
        challenge_id -> Text,
        code -> Text,
    }
}

diesel::table! {
    recognition (id) {
        id -> Text,
        challenge_id -> Text,
        organisation_id -> Text,
        level -> Text,
        figures -> Text,
        said_by -> Text,
        said_at -> Timestamp,
        counts -> Bool,
    }
}

diesel::allow_tables_to_appear_in_same_query!(challenge, challenge_cpv);

diesel::table! {
    process (id) {
        id -> Text,
        title -> Text,
        summary -> Text,
        status -> Text,
        lead_organisation_id -> Nullable<Text>,
        option_cap -> Nullable<Text>,
        steps -> Text,
        version -> BigInt,
        changed -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    participant (id) {
        id -> Text,
        process_id -> Text,
        organisation_id -> Text,
        role -> Text,
        state -> Text,
        joined_on -> Date,
        left_on -> Nullable<Date>,
        signed_on -> Nullable<Date>,
    }
}

diesel::table! {
    commitment (id) {
        id -> Text,
        process_id -> Text,
        organisation_id -> Text,
        level -> Text,
        figures -> Text,
        said_by -> Text,
        said_at -> Timestamp,
        counts -> Bool,
    }
}

diesel::table! {
    timeline_entry (id) {
        id -> Text,
        process_id -> Text,
        happened_on -> Date,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    adoption (id) {
        id -> Text,
        process_id -> Text,
        organisation_id -> Text,
        adopted_on -> Date,
        way -> Text,
        contact -> Nullable<Text>,
        expected -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    cpv_code (code) {
        code -> Text,
        label_da -> Text,
        label_en -> Text,
    }
}

diesel::table! {
    nuts_code (code) {
        code -> Text,
        country -> Text,
        label_da -> Text,
        label_en -> Text,
    }
}

diesel::table! {
    assignment (challenge_id) {
        challenge_id -> Text,
        user_id -> Text,
        user_name -> Text,
        assigned_at -> Timestamp,
    }
}

diesel::table! {
    match_verdict (id) {
        id -> Text,
        first_id -> Text,
        second_id -> Text,
        verdict -> Text,
        reason -> Nullable<Text>,
        said_by -> Text,
        said_at -> Timestamp,
        counts -> Bool,
    }
}

diesel::joinable!(participant -> process (process_id));
diesel::allow_tables_to_appear_in_same_query!(participant, process);
diesel::joinable!(letter_comment -> letter_of_intent (letter_id));
diesel::allow_tables_to_appear_in_same_query!(letter_comment, letter_of_intent);
diesel::joinable!(signatory -> letter_of_intent (letter_id));
diesel::allow_tables_to_appear_in_same_query!(signatory, letter_of_intent);
diesel::table! {
    rejected_suggestion (id) {
        id -> Text,
        challenge_ids -> Text,
        reason -> Text,
        said_by -> Text,
        said_at -> Timestamp,
    }
}

diesel::table! {
    threshold (first_year, authority, category) {
        first_year -> Integer,
        last_year -> Integer,
        authority -> Text,
        category -> Text,
        eur -> Nullable<BigInt>,
        dkk -> Nullable<BigInt>,
        basis -> Text,
    }
}

diesel::table! {
    sponsor_request (id) {
        id -> Text,
        challenge_id -> Text,
        side -> Text,
        name -> Text,
        title -> Text,
        email -> Nullable<Text>,
        language -> Text,
        text_digest -> Text,
        answer -> Text,
        answered_at -> Nullable<Timestamp>,
        reason -> Nullable<Text>,
        asked_by -> Text,
        asked_at -> Timestamp,
        mailed_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    adoption_stage (adoption_id, turn) {
        adoption_id -> Text,
        turn -> BigInt,
        stage -> Text,
        since -> Date,
        said_by -> Text,
        said_at -> Timestamp,
    }
}

diesel::table! {
    outcome (id) {
        id -> Text,
        adoption_id -> Text,
        months -> Integer,
        status -> Text,
        asked_at -> Nullable<Timestamp>,
        reminded_at -> Nullable<Timestamp>,
        report -> Nullable<Text>,
        reported_at -> Nullable<Timestamp>,
        reported_by -> Nullable<Text>,
        changed -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(outcome, adoption);

diesel::table! {
    letter_template (key, version) {
        key -> Text,
        version -> Integer,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    letter_of_intent (id) {
        id -> Text,
        process_id -> Text,
        language -> Text,
        template_key -> Text,
        template_version -> Integer,
        status -> Text,
        number -> Integer,
        bodies -> Text,
        frozen_at -> Nullable<Timestamp>,
        comments_until -> Nullable<Timestamp>,
        withdrawn_reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    letter_version (letter_id, number) {
        letter_id -> Text,
        number -> Integer,
        title -> Text,
        text -> Text,
        sha256 -> Text,
        written_by -> Text,
        written_at -> Timestamp,
    }
}

diesel::table! {
    letter_comment (id) {
        id -> Text,
        letter_id -> Text,
        organisation_id -> Text,
        number -> Integer,
        text -> Text,
        said_by -> Text,
        said_at -> Timestamp,
        resolution -> Nullable<Text>,
        resolved_by -> Nullable<Text>,
        resolved_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    signatory (id) {
        id -> Text,
        letter_id -> Text,
        organisation_id -> Text,
        kind -> Text,
        name -> Text,
        title -> Text,
        email -> Text,
        language -> Text,
        turn -> Integer,
        words -> Nullable<Text>,
        state -> Text,
        asked_until -> Nullable<Timestamp>,
        reminded -> Bool,
        settled_at -> Nullable<Timestamp>,
        sha256 -> Nullable<Text>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    opi_checklist (version) {
        version -> Integer,
        body -> Text,
        written_by -> Text,
        written_at -> Timestamp,
    }
}

diesel::table! {
    opi_track (process_id) {
        process_id -> Text,
        checklist -> Integer,
        phase -> Text,
        finished_at -> Nullable<Timestamp>,
        version -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    opi_mark (process_id, item_key) {
        process_id -> Text,
        item_key -> Text,
        state -> Text,
        marked_by -> Text,
        marked_at -> Timestamp,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    library_entry (id) {
        id -> Text,
        kind -> Text,
        body -> Text,
        phases -> Text,
        actors -> Text,
        themes -> Text,
        language -> Text,
        version -> BigInt,
        changed -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    followed_dialogue (subscription_id, dialogue_id) {
        subscription_id -> Text,
        dialogue_id -> Text,
    }
}
diesel::allow_tables_to_appear_in_same_query!(followed_dialogue, subscription);
