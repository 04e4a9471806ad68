-- A chunk begins where the last one ended. Items are long, and written in order: they stand in a table of their own order,
-- and only refused ones are looked for by what became of them.
ALTER TABLE bulk_operations ADD COLUMN next_item INTEGER NOT NULL DEFAULT 0;

CREATE TABLE bulk_items_in_order (
    operation_id TEXT NOT NULL REFERENCES bulk_operations (id),
    item         INTEGER NOT NULL,
    state        TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'skipped', 'failed')),
    payload      TEXT,
    prompt_id    TEXT,
    code         TEXT,
    detail       TEXT,
    name_key     TEXT,
    PRIMARY KEY (operation_id, item)
) STRICT;
INSERT INTO bulk_items_in_order (operation_id, item, state, payload, prompt_id, code, detail, name_key)
SELECT operation_id, item, state, payload, prompt_id, code, detail, name_key FROM bulk_items;
DROP TABLE bulk_items;
ALTER TABLE bulk_items_in_order RENAME TO bulk_items;

CREATE INDEX bulk_items_refused ON bulk_items (operation_id, item) WHERE state = 'failed';
CREATE INDEX bulk_items_by_name ON bulk_items (operation_id, name_key, item) WHERE name_key IS NOT NULL;
