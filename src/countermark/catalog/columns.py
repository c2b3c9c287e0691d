"""What the catalog's tables are made of: types that mean the same to SQLite and PostgreSQL."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
# Byte order, so that both databases sort text the same way.
Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def id_column(
    name: str, *references: sa.ForeignKey, primary_key: bool = False, nullable: bool = False
) -> sa.Column[str]:
    """A column of ids."""
    column_type = sa.CHAR(24).with_variant(sa.CHAR(24, collation="C"), "postgresql")
    return sa.Column(name, column_type, *references, primary_key=primary_key, nullable=nullable)
