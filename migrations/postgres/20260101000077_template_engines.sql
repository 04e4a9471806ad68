-- Which engine reads a version: none where `template_format` says all. What was written before has none, and keeps its
-- rules: its `mustache` is shown as `simple`, its `fstring` as `simple_fstring`.
ALTER TABLE versions ADD COLUMN template_engine BIGINT;

UPDATE search_documents SET template_format = 'simple' WHERE template_format = 'mustache';
UPDATE search_documents SET template_format = 'simple_fstring' WHERE template_format = 'fstring';

-- A quote inside of a text is escaped, so that this is the format and no text.
UPDATE documents SET result = CAST(replace(replace(CAST(result AS TEXT),
    '"template_format":"mustache"', '"template_format":"simple"'),
    '"template_format":"fstring"', '"template_format":"simple_fstring"') AS JSON);

-- A text of Jinja2 that has tags is a template, also without variables.
UPDATE prompts SET is_template = TRUE WHERE NOT is_template AND EXISTS (
    SELECT 1 FROM versions v
    WHERE v.prompt_id = prompts.id AND v.version = prompts.version
      AND v.template_format = 'jinja2' AND CAST(v.variables AS TEXT) = '[]'
      AND (strpos(COALESCE(v.content, CAST(v.messages AS TEXT)), '{{') > 0
        OR strpos(COALESCE(v.content, CAST(v.messages AS TEXT)), '{%') > 0
        OR strpos(COALESCE(v.content, CAST(v.messages AS TEXT)), '{#') > 0)
);
