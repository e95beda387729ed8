-- Pages of a dataset's items in the order of their import.
CREATE INDEX data_items_by_dataset ON data_items (dataset);
