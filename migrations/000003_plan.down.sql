DROP TABLE scenario, task, light_rule, indicator_relation, indicator_definition, indicator_curve,
  indicator_target, indicator_nature, indicator, cooperation, project, plan;
DELETE FROM schema_marker WHERE version = 3;
