-- What was reported of a part of an hour is read event by event.
CREATE INDEX usage_events_occurred_at ON usage_events (occurred_at);
