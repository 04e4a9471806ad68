-- The words of a tsvector are not cut again, so nothing changes here. (The other engine makes its tables anew.)
SELECT 1;
