DROP TABLE delivery_attempt, delivery, robot, notice_seen, notice;
ALTER TABLE account DROP COLUMN email;
DELETE FROM schema_marker WHERE version = 15;
