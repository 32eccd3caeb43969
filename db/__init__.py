"""The database: tables, the queue protocol, and every statement that we send. The only place with SQL."""
