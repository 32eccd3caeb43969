"""The pages: a file each, with what it asks the database, what it decides, and how it is rendered."""
