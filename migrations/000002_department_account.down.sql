DROP TABLE sign_in_failure, session, account, department_alias, department;
DROP FUNCTION refuse_change();
DELETE FROM schema_marker WHERE version = 2;
