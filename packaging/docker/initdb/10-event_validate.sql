-- The image runs this file when it makes the database.
CREATE EXTENSION event_validate;
