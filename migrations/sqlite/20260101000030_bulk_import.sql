-- Operations of more than one round, whose items may still be coming; items that are found by what they name.
ALTER TABLE bulk_operations ADD COLUMN parameters TEXT;
ALTER TABLE bulk_operations ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bulk_operations ADD COLUMN receiving_until INTEGER;

CREATE INDEX bulk_operations_unfinished ON bulk_operations (created_by) WHERE status IN ('pending', 'processing');

ALTER TABLE bulk_items DROP COLUMN duplicate_of;
ALTER TABLE bulk_items ADD COLUMN name_key TEXT;

CREATE INDEX bulk_items_by_name ON bulk_items (operation_id, name_key, item) WHERE name_key IS NOT NULL;
