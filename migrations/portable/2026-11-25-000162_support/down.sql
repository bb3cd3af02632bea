DROP TABLE support_request;
DROP TABLE support_state;
DROP TABLE support_user_group;
DROP TABLE support_kind;
