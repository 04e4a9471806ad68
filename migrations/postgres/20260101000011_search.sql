-- What is searched. All of it can be made anew from the prompts: `prompt-store check` does.
-- `changed` is the transaction that wrote the row: processes ask for what their last snapshot had not seen.
CREATE TABLE search_documents (
    doc              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id               TEXT COLLATE "C" NOT NULL UNIQUE,
    changed          BIGINT NOT NULL,
    live             BOOLEAN NOT NULL,
    analysis         BIGINT NOT NULL,
    text_hash        TEXT COLLATE "C" NOT NULL,
    name             TEXT COLLATE "C" NOT NULL,
    category         TEXT COLLATE "C" NOT NULL,
    tags             TEXT COLLATE "C" NOT NULL,
    labels           TEXT COLLATE "C" NOT NULL,
    lifecycle_status TEXT COLLATE "C" NOT NULL,
    template_format  TEXT COLLATE "C" NOT NULL,
    created_by       TEXT COLLATE "C" NOT NULL,
    model            TEXT COLLATE "C" NOT NULL,
    variables        TEXT COLLATE "C" NOT NULL,
    updated_at       BIGINT NOT NULL
);

CREATE INDEX search_documents_changed ON search_documents (changed);

-- Terms: folded and stemmed by the program, so that every engine finds the same. Name, tags, description and body
-- have the weights A, B, C and D. Words as they were written: what can be typed, and what was meant.
CREATE TABLE search_texts (
    doc   BIGINT PRIMARY KEY REFERENCES search_documents (doc) DEFERRABLE,
    terms TSVECTOR NOT NULL,
    words TSVECTOR NOT NULL
);

CREATE INDEX search_texts_terms ON search_texts USING GIN (terms);
