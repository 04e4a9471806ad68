//! How the prompts that match become items on `PostgreSQL`.

/// Goes on with the condition on `prompts p`.
pub(super) const INSERT_MATCHING: &str = "
    INSERT INTO bulk_items (operation_id, item, payload)
    SELECT $1, row_number() OVER (ORDER BY p.id) - 1, CAST('\"' || p.id || '\"' AS JSON) FROM prompts p WHERE 1 = 1";
