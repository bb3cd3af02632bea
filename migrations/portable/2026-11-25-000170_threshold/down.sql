DROP TABLE threshold;
