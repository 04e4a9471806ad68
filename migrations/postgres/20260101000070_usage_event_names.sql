-- An event's name is that of whoever reports it, about one prompt: the names of others are no matter. Of earlier events it is not
-- known who reported them.
ALTER TABLE usage_events ADD COLUMN actor TEXT COLLATE "C" NOT NULL DEFAULT '';

DROP INDEX usage_events_event_id;

CREATE UNIQUE INDEX usage_events_event_id ON usage_events (actor, prompt_id, event_id) WHERE event_id IS NOT NULL;
