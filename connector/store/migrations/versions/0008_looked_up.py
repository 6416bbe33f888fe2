"""Who goes by a number, and of whom an order said yes, is asked when a permission changes."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes."""
    op.create_index(op.f("ix_profiles_phone"), "profiles", ["phone"], unique=False)
    op.create_index(
        op.f("ix_evidence_source_reference"), "evidence", ["source", "reference"], unique=False
    )
