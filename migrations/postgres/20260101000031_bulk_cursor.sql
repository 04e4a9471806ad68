-- A chunk begins where the last one ended, and only refused items are looked for by what became of them.
ALTER TABLE bulk_operations ADD COLUMN next_item BIGINT NOT NULL DEFAULT 0;

DROP INDEX bulk_items_by_state;
CREATE INDEX bulk_items_refused ON bulk_items (operation_id, item) WHERE state = 'failed';
