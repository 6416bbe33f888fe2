"""What catalogs need: whole lists of variants, changes that are confirmed, verdicts that wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns."""
    op.create_table(
        "assortments",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("version_at", sa.BigInteger(), nullable=False),
        sa.Column("version_tie", sa.BigInteger(), nullable=False),
        sa.Column("variant_ids", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "product_id", name=op.f("pk_assortments")),
    )
    for name in ("confirmed", "unsure"):
        op.add_column(
            "records",
            sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False),
        )
