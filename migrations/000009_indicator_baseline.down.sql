UPDATE indicator i
SET baseline_text = b.text, baseline = b.amount
FROM (SELECT DISTINCT ON (indicator_id) indicator_id, text, amount FROM indicator_baseline ORDER BY indicator_id, id DESC) b
WHERE b.indicator_id = i.id;
DROP TABLE indicator_baseline;
DELETE FROM schema_marker WHERE version = 9;
