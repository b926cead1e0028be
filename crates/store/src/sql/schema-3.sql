-- Every page says how many people a server has and how many of them left:
-- counted without reading the people.
CREATE INDEX listed_state ON listed (directory, state);
