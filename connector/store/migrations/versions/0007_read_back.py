"""What was read of each record at its destination, and how often it was repaired."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; counts under another name begin anew."""
    op.add_column("records", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("records", sa.Column("repairs", sa.Integer(), server_default="0", nullable=False))
    op.execute("DELETE FROM cursors WHERE name LIKE 'drift:%' OR name LIKE 'held:%'")
