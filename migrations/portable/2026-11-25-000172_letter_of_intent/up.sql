-- Letters of intent: templates, the text in versions, comments, and who signed what.

CREATE TABLE letter_template (
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  CONSTRAINT letter_template_once PRIMARY KEY (key, version)
);

CREATE TABLE letter_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO letter_status (word) VALUES ('draft'), ('signing'), ('withdrawn');

CREATE TABLE letter_of_intent (
  id TEXT NOT NULL PRIMARY KEY,
  process_id TEXT NOT NULL REFERENCES process (id),
  language TEXT NOT NULL,
  template_key TEXT NOT NULL,
  template_version INTEGER NOT NULL,
  status TEXT NOT NULL REFERENCES letter_status (word),
  number INTEGER NOT NULL,
  -- The organisations that the text names, as JSON.
  bodies TEXT NOT NULL,
  frozen_at TIMESTAMP,
  comments_until TIMESTAMP,
  withdrawn_reason TEXT,
  version BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  CONSTRAINT letter_withdrawn_with_a_reason CHECK ((status = 'withdrawn') = (withdrawn_reason IS NOT NULL)),
  CONSTRAINT letter_draft_is_not_frozen CHECK (status <> 'draft' OR frozen_at IS NULL)
);
CREATE INDEX letter_of_process ON letter_of_intent (process_id, created_at);

-- Every version that the text had; never changed.
CREATE TABLE letter_version (
  letter_id TEXT NOT NULL REFERENCES letter_of_intent (id),
  number INTEGER NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  written_by TEXT NOT NULL,
  written_at TIMESTAMP NOT NULL,
  CONSTRAINT letter_version_once PRIMARY KEY (letter_id, number)
);

CREATE TABLE letter_comment (
  id TEXT NOT NULL PRIMARY KEY,
  letter_id TEXT NOT NULL REFERENCES letter_of_intent (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  -- The version that it speaks of.
  number INTEGER NOT NULL,
  text TEXT NOT NULL,
  said_by TEXT NOT NULL,
  said_at TIMESTAMP NOT NULL,
  resolution TEXT,
  resolved_by TEXT,
  resolved_at TIMESTAMP,
  CONSTRAINT letter_comment_resolved_by_somebody CHECK
    ((resolution IS NULL) = (resolved_by IS NULL) AND (resolution IS NULL) = (resolved_at IS NULL))
);
CREATE INDEX letter_comment_of_letter ON letter_comment (letter_id, said_at);

CREATE TABLE signatory_kind (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO signatory_kind (word) VALUES ('letter'), ('addendum'), ('declaration');
CREATE TABLE signatory_state (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO signatory_state (word) VALUES ('named'), ('asked'), ('signed'), ('declined'), ('withdrawn');

CREATE TABLE signatory (
  id TEXT NOT NULL PRIMARY KEY,
  letter_id TEXT NOT NULL REFERENCES letter_of_intent (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  kind TEXT NOT NULL REFERENCES signatory_kind (word),
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  email TEXT NOT NULL,
  language TEXT NOT NULL,
  turn INTEGER NOT NULL,
  -- The words of an addendum or a declaration; the letter's own stand in its version.
  words TEXT,
  state TEXT NOT NULL REFERENCES signatory_state (word),
  asked_until TIMESTAMP,
  reminded BOOLEAN NOT NULL,
  -- When it was signed, declined or withdrawn.
  settled_at TIMESTAMP,
  sha256 TEXT,
  reason TEXT,
  CONSTRAINT signatory_once UNIQUE (letter_id, organisation_id),
  CONSTRAINT signatory_of_a_letter_has_no_words_of_its_own CHECK ((kind = 'letter') = (words IS NULL)),
  CONSTRAINT signatory_signed_a_hash CHECK ((state = 'signed') = (sha256 IS NOT NULL)),
  CONSTRAINT signatory_says_why_not CHECK ((state IN ('declined', 'withdrawn')) = (reason IS NOT NULL)),
  CONSTRAINT signatory_asked_until_a_moment CHECK ((state = 'asked') = (asked_until IS NOT NULL))
);
CREATE INDEX signatory_open ON signatory (state, asked_until);

-- Whether a participant's signature stands; a partner is not a signatory.
ALTER TABLE participant ADD COLUMN signed_on DATE;
