-- Which subscriptions follow which dialogue: found without reading every filter.
CREATE TABLE followed_dialogue (
  subscription_id TEXT NOT NULL,
  dialogue_id TEXT NOT NULL,
  CONSTRAINT followed_dialogue_once PRIMARY KEY (subscription_id, dialogue_id),
  CONSTRAINT followed_dialogue_by_subscription FOREIGN KEY (subscription_id) REFERENCES subscription (id) ON DELETE CASCADE
);
CREATE INDEX followed_dialogue_by_dialogue ON followed_dialogue (dialogue_id);

-- A seat that is kept comes free by the clock: found without reading every sign-up.
CREATE INDEX signup_by_hold ON signup (held_until);
