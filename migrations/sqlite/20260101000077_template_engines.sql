-- Which engine reads a version: none where `template_format` says all. What was written before has none, and keeps its
-- rules: its `mustache` is shown as `simple`, its `fstring` as `simple_fstring`.
ALTER TABLE versions ADD COLUMN template_engine INTEGER;

UPDATE search_documents SET template_format = 'simple' WHERE template_format = 'mustache';
UPDATE search_documents SET template_format = 'simple_fstring' WHERE template_format = 'fstring';

-- A quote inside of a text is escaped, so that this is the format and no text.
UPDATE documents SET result = replace(replace(result,
    '"template_format":"mustache"', '"template_format":"simple"'),
    '"template_format":"fstring"', '"template_format":"simple_fstring"');

-- A text of Jinja2 that has tags is a template, also without variables.
UPDATE prompts SET is_template = 1 WHERE is_template = 0 AND EXISTS (
    SELECT 1 FROM versions v
    WHERE v.prompt_id = prompts.id AND v.version = prompts.version
      AND v.template_format = 'jinja2' AND v.variables = '[]'
      AND (instr(COALESCE(v.content, v.messages), '{{') > 0 OR instr(COALESCE(v.content, v.messages), '{%') > 0
        OR instr(COALESCE(v.content, v.messages), '{#') > 0)
);
