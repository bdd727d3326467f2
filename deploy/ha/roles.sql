-- Once, on the primary, as superuser:
--   psql -h 127.0.0.1 -p 5000 -U postgres -v owner_password=… -v web_password=… -f roles.sql
\set ON_ERROR_STOP on
-- Owns the schema: DATABASE_URL_DIRECT.
CREATE ROLE landmark LOGIN PASSWORD :'owner_password';
-- What the programs may do; the schema's changes grant it.
CREATE ROLE landmark_app NOLOGIN;
CREATE ROLE landmark_read NOLOGIN;
GRANT landmark_app TO landmark;
-- Works through PgBouncer: DATABASE_URL. Its limits stand here, because nothing can
-- be set for a session there.
CREATE ROLE landmark_web LOGIN PASSWORD :'web_password' IN ROLE landmark_app;
ALTER ROLE landmark_web SET statement_timeout = '5s';
ALTER ROLE landmark_web SET lock_timeout = '2s';
ALTER ROLE landmark_web SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE landmark_web SET client_connection_check_interval = '5s';
CREATE DATABASE landmark OWNER landmark;
