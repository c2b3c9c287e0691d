"""What Alembic runs to migrate: on the connection it is given, whose transaction is not its own."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
