"""Reads a catalog back, page by page: as few calls as Meta allows, smaller pages where it must be.

Meta says of long lists that a cursor is worth nothing once the item it marks is gone, and that the
absence of a next page, not a short one, is the end: https://developers.facebook.com/docs/graph-api/results.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.graph_refusals import Busy, Refused, TooLarge
from adapters.meta_catalog.client import MetaCatalogClient, Page
from adapters.meta_catalog.showing import ASKED, held
from connector.errors import TryLater
from connector.ports import Shown

MOST = 1_000
"""Items of a page. Meta names no limit; a partner of Meta's that passes calls on takes up to 1,000.

https://www.alibabacloud.com/help/en/chatapp/developer-reference/api-cams-2020-06-06-listproduct
"""

_LEAST = 25


@dataclass(slots=True, kw_only=True)
class Reading:
    """Where a catalog is read. ``size`` is how many items the next page may have."""

    client: MetaCatalogClient
    size: int = MOST

    def page(self, cursor: str | None) -> Shown:
        """The page at a cursor; the first where Meta knows the cursor no more.

        Raises `TryLater` or `LaneDown`. A page that did not come is asked for smaller.
        """
        page = self._page(cursor)
        if page.after is None:
            self.size = MOST
        return Shown(
            held={str(row["retailer_id"]): held(row) for row in page.items}, cursor=page.after
        )

    def _page(self, cursor: str | None) -> Page:
        while True:
            try:
                return self.client.products(ASKED, after=cursor, limit=self.size)
            except TooLarge:
                if self.size == _LEAST:
                    raise TryLater(f"Meta's pages of {_LEAST} items are too large") from None
                self._ask_for_less()
            except Refused as refused:
                if cursor is None:
                    raise TryLater(f"Meta would not show the items ({refused})") from None
                cursor = None
            except Busy:
                raise
            except TryLater:
                self._ask_for_less()
                raise

    def _ask_for_less(self) -> None:
        self.size = max(self.size // 2, _LEAST)
