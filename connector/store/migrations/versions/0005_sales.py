"""Carts and promotions, and what orders tell that only destinations of sales want to know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FACT = (
    ("version_at", sa.BigInteger),
    ("version_tie", sa.BigInteger),
    ("deleted", sa.Boolean),
)


def upgrade() -> None:
    """Add the tables and the columns."""
    for column in (
        sa.Column("fulfilled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("landing_url", sa.Text(), nullable=True),
    ):
        op.add_column("orders", column)
    op.add_column("order_lines", _amount("discount"))
    op.create_table(
        "carts",
        *_keyed("cart_id"),
        sa.Column("currency", sa.Text(), nullable=True),
        _amount("total"),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        *_texts("url", "customer_id", "email"),
        *(
            sa.Column(name, sa.Text(), server_default="", nullable=False)
            for name in ("first_name", "last_name", "company")
        ),
        *_texts("other_name", "lines"),
        sa.PrimaryKeyConstraint("shop", "cart_id", name=op.f("pk_carts")),
    )
    op.create_index(op.f("ix_carts_shop_other_name"), "carts", ["shop", "other_name"])
    op.create_index(op.f("ix_carts_email"), "carts", ["email"])
    op.create_index(op.f("ix_carts_shop_customer_id"), "carts", ["shop", "customer_id"])
    op.create_index(op.f("ix_carts_version_at"), "carts", ["version_at"])
    op.create_table(
        "ordered_carts",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "name", "order_id", name=op.f("pk_ordered_carts")),
    )
    op.create_index(op.f("ix_ordered_carts_shop_order_id"), "ordered_carts", ["shop", "order_id"])
    op.create_table(
        "promotions",
        *_keyed("promotion_id"),
        *(
            sa.Column(name, sa.Text(), server_default="", nullable=False)
            for name in ("code", "title", "worth", "bearing")
        ),
        _amount("amount"),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        _amount("usage_count"),
        sa.Column("enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "promotion_id", name=op.f("pk_promotions")),
    )


def _keyed(key: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column(key, sa.Text(), nullable=False),
        *(sa.Column(name, kind(), nullable=False) for name, kind in _FACT),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
    ]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def _amount(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
