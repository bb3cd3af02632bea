DROP TABLE subscription;
DROP TABLE subscription_frequency;
DROP TABLE subscription_status;
