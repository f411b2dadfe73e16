-- The order system. Columns and constraints are those of the order system that the lab grew out of; the index only
-- keeps `UPDATE … WHERE product_id` from scanning, and the fill factor leaves room for in-page updates of hot rows.
DROP TABLE IF EXISTS Orders, OrderDetails, Inventory;

CREATE TABLE Orders (
    orders_id SERIAL PRIMARY KEY,
    users_id INTEGER NOT NULL,
    order_price NUMERIC(10, 2) NOT NULL,
    order_date DATE NOT NULL
);

CREATE TABLE OrderDetails (
    order_details_id SERIAL PRIMARY KEY,
    order_id INTEGER NOT NULL,
    product_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    subtotal NUMERIC(10, 2) NOT NULL
);

CREATE TABLE Inventory (
    inventory_id SERIAL PRIMARY KEY,
    product_id INTEGER NOT NULL,
    warehouse_name VARCHAR(255) NOT NULL,
    stock_quantity INTEGER NOT NULL CHECK (stock_quantity >= 0)
) WITH (fillfactor = 50);

CREATE INDEX inventory_product_id ON Inventory (product_id);
