-- The table that OpenSIPS and Kamailio have; run when the database is made.
CREATE TABLE subscriber (
  id SERIAL PRIMARY KEY,
  username VARCHAR(64) NOT NULL,
  domain VARCHAR(64) NOT NULL DEFAULT '',
  password VARCHAR(64) NOT NULL DEFAULT '',
  ha1 VARCHAR(128) NOT NULL DEFAULT '',
  ha1_sha256 VARCHAR(128) NOT NULL DEFAULT '',
  UNIQUE (username, domain)
);
