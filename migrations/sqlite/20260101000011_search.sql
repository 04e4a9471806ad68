-- What is searched. All of it can be made anew from the prompts: `prompt-store check` does.
-- `changed` grows with every write: processes ask what they have not seen.
CREATE TABLE search_documents (
    doc              INTEGER PRIMARY KEY NOT NULL,
    id               TEXT NOT NULL UNIQUE,
    changed          INTEGER NOT NULL UNIQUE,
    live             INTEGER NOT NULL CHECK (live IN (0, 1)),
    analysis         INTEGER NOT NULL,
    text_hash        TEXT NOT NULL,
    name             TEXT NOT NULL,
    category         TEXT NOT NULL,
    tags             TEXT NOT NULL,
    labels           TEXT NOT NULL,
    lifecycle_status TEXT NOT NULL,
    template_format  TEXT NOT NULL,
    created_by       TEXT NOT NULL,
    model            TEXT NOT NULL,
    variables        TEXT NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT;

-- Terms: folded and stemmed by the program, so that every engine finds the same.
CREATE TABLE search_texts (
    doc         INTEGER PRIMARY KEY NOT NULL REFERENCES search_documents (doc),
    name        TEXT NOT NULL,
    tags        TEXT NOT NULL,
    description TEXT NOT NULL,
    body        TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE search_index USING fts5 (
    name, tags, description, body,
    content = 'search_texts', content_rowid = 'doc', tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3'
);
INSERT INTO search_index (search_index, rank) VALUES ('rank', 'bm25(8.0, 4.0, 4.0, 1.0)');

CREATE TRIGGER search_texts_inserted AFTER INSERT ON search_texts BEGIN
    INSERT INTO search_index (rowid, name, tags, description, body)
    VALUES (new.doc, new.name, new.tags, new.description, new.body);
END;
CREATE TRIGGER search_texts_deleted AFTER DELETE ON search_texts BEGIN
    INSERT INTO search_index (search_index, rowid, name, tags, description, body)
    VALUES ('delete', old.doc, old.name, old.tags, old.description, old.body);
END;

-- Words as they were written: what can be typed, and what was meant.
CREATE VIRTUAL TABLE search_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'unicode61 remove_diacritics 0'
);
CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab ('search_words', 'row');
