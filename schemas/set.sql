-- The set: clients insert numbers that nobody else inserts, and nobody takes one out.
DROP TABLE IF EXISTS set_element;

CREATE TABLE set_element (
    element BIGINT PRIMARY KEY
);
