"""The database: tables, the queue protocol, and every statement sent to it. The only place with SQL."""
