"""A user's own table as it comes: read (`reading`, `layout`), the class found (`target`), columns judged (`kinds`) and encoded."""
