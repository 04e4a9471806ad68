-- Vowel signs and other marks are part of words, and so is the hyphen of a word that is written with one. The terms are
-- made anew by a job (`search_documents.analysis` is of an earlier time); until it has, what is there can be found.
DROP TABLE search_index;
CREATE VIRTUAL TABLE search_index USING fts5 (
    name, tags, description, body,
    content = 'search_texts', content_rowid = 'doc',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co'", prefix = '2 3'
);
INSERT INTO search_index (search_index, rank) VALUES ('rank', 'bm25(8.0, 4.0, 4.0, 1.0)');
INSERT INTO search_index (search_index) VALUES ('rebuild');

DROP TABLE search_vocabulary;
DROP TABLE search_words;
CREATE VIRTUAL TABLE search_words USING fts5 (
    words, content = '', contentless_delete = 1, detail = none,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co' tokenchars '-’'"
);
CREATE VIRTUAL TABLE search_vocabulary USING fts5vocab ('search_words', 'row');
