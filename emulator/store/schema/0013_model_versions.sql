-- A model and its versions are rows of their own; until here a model was its one version.
INSERT INTO resources (kind, name, parent, body)
SELECT 'aiplatform.ModelVersion', name || '@1', name, body FROM resources
WHERE kind = 'aiplatform.Model' ORDER BY seq;
UPDATE resources SET parent = parent || '@1' WHERE kind = 'aiplatform.ModelEvaluation';
UPDATE resources SET body = json_object(
  'name', name, 'createTime', json_extract(body, '$.createTime'), '_versions', 1
) WHERE kind = 'aiplatform.Model';
