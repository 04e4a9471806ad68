-- A webhook is told of what comes after an event, not of what comes after a time: clocks of machines differ, and are set back.
ALTER TABLE webhooks ADD COLUMN active_after INTEGER NOT NULL DEFAULT 0;
UPDATE webhooks SET active_after = COALESCE((SELECT sealed FROM event_log), 0);
ALTER TABLE webhooks DROP COLUMN active_since;
