"""A laptop's Sierra and PostgreSQL: demo, test double and documentation in one."""
