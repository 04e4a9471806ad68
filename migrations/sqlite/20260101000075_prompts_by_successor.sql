-- Which prompts name a prompt as their successor: what is shown of them changes when it is deleted.
CREATE INDEX prompts_by_successor ON prompts (successor_id) WHERE successor_id IS NOT NULL;
