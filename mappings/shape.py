"""How a mapping is written in YAML: its sections, their keys, and what may stand under each.

The models hold text only (YAML's own types are not used); the JSON Schema for editors is made of
them. A list is kept as a table by position, so that a faulty item can be set aside while the
others keep their places.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

_T = TypeVar("_T")
_TEXT = {"type": ["string", "number", "boolean"]}


class Listing(dict[int, Any]):
    """A list of the YAML, by position."""


class _AsArray:
    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "array", "items": handler(core_schema).get("additionalProperties", {})}


def _list_only(value: Any) -> Any:
    if value is None or isinstance(value, Listing):
        return value or {}
    raise PydanticCustomError("told", "wants a list, such as [one, two]")


def _table_only(value: Any) -> Any:
    if isinstance(value, Listing):
        raise PydanticCustomError("told", "wants keys with values, not a list")
    return {} if value is None else value


def _all_or_list(value: Any) -> Any:
    if value == "all":
        return None
    if isinstance(value, Listing):
        return value
    raise PydanticCustomError("told", "wants the word all, or a list of segments")


def _country_alone(value: Any) -> Any:
    return {"country": value} if isinstance(value, str) else value


Text: TypeAlias = Annotated[str, WithJsonSchema(_TEXT)]
Flag: TypeAlias = Annotated[Literal["true", "false"], WithJsonSchema({"type": "boolean"})]
Listed: TypeAlias = Annotated[dict[int, _T], BeforeValidator(_list_only), _AsArray()]
Table: TypeAlias = Annotated[dict[str, _T], BeforeValidator(_table_only)]
PurposeWord: TypeAlias = Literal["email", "sms", "ads"]
PolicyWord: TypeAlias = Literal["subscribed_only", "existing_only", "everyone"]
TableWord: TypeAlias = Literal["customers", "orders", "segments", "consents"]
ShopPlatform: TypeAlias = Literal["woocommerce", "shopify"]
Names: TypeAlias = Annotated[
    dict[int, Text] | None,
    BeforeValidator(_all_or_list),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Shape(BaseModel):
    """A table of the YAML whose keys are known."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=False
    )

    @model_validator(mode="before")
    @classmethod
    def _no_list(cls, value: Any) -> Any:
        return _table_only(value)


class Orders(Shape):
    """What is true of orders."""

    counting: Table[Listed[Text]] = Field(default_factory=dict)
    """The statuses that count as bought, by platform: woocommerce, shopify."""


class AttributeShape(Shape):
    """One extra fact about a person from a shop's own field."""

    shop: Text | None = None
    """The shop's name in connector.yaml; without it, every shop."""
    path: Text = Field(alias="from")
    """Where it stands, such as order.meta_data.KEY or customer.metafields.NAMESPACE.KEY."""


class SourceShape(Shape):
    """One field in which a shop keeps a permission."""

    shop: Text | None = None
    """The shop's name in connector.yaml; without it, every shop."""
    purpose: PurposeWord
    """What the permission is for."""
    path: Text = Field(alias="from")
    """Where it stands: a field's path, or shopify for that platform's own consent state."""
    granted: Listed[Text] | None = None
    """The values that say yes (default: 1, true, yes, on). Every other value says nothing."""
    withdrawn: Listed[Text] | None = None
    """The values that say that a permission was taken back."""
    write_back: Flag = "false"
    """Whether the first of these is written into the field of who withdraws elsewhere."""
    wording: Text | None = None
    """The id, under wordings, of the text the person read."""


class SoftShape(Shape):
    """A country whose law lets a shop mail its own buyers about similar goods."""

    country: Text
    """ISO 3166-1 alpha-2, such as NO."""
    wording: Text | None = None
    """The id, under wordings, of the opt-out offered at the sale: you attest that it was."""


class ConsentShape(Shape):
    """Permissions: where they stand and how they are decided."""

    wordings: Table[Text] = Field(default_factory=dict)
    """The texts people saw, by an id that never changes its meaning."""
    sources: Listed[SourceShape] = Field(default_factory=dict)
    """The fields that hold permissions."""
    double_opt_in: Flag = "false"
    """Whether a permission must be confirmed by mail before it counts."""
    soft_opt_in: Listed[Annotated[SoftShape, BeforeValidator(_country_alone)]] = Field(
        default_factory=dict
    )
    """Countries where a purchase is enough, each with its attested wording."""
    accept_undated: Flag = "false"
    """Whether a yes without a believable date counts."""


class SegmentShape(Shape):
    """A named group of people."""

    when: Text
    """A query in Shopify's segment language."""
    tag: Text | None = None
    """The tag's text at destinations; without it, the segment's name."""


class Contacts(Shape):
    """Whom a destination holds."""

    policy: PolicyWord = "subscribed_only"
    """Those who may be mailed, those it holds already, or everyone (others as transactional)."""


class Tags(Shape):
    """Which segments are tags at a destination."""

    prefix: Text = ""
    """Stands before every tag."""
    segments: Names = None
    """The word all, or a list of segments."""


class BestsellersShape(Shape):
    """Which products are bestsellers, by the units sold in 30 days. Without it: top 20."""

    top: Text | None = None
    """So many of each shop, those sold most first."""
    at_least: Text | None = None
    """Only products of which so many were sold."""


class ItemsShape(Shape):
    """Which variants a catalog holds."""

    when: Text | None = None
    """A query about items, in the segment language. Without it: status = 'active'."""
    id: Text | None = None
    """The pattern of an item's id; without it {shop}_{variant_id}."""
    unpublished: Literal["archive", "delete"] = "archive"
    """What becomes of an item that the shop does not show any more."""
    bestsellers: BestsellersShape | None = None
    """What the label bestseller means."""
    new_for_days: Text | None = None
    """How long the label new_arrival stays: 30 days, unless said otherwise."""


class SetShape(Shape):
    """A product set, kept by a label that we set; one of the three."""

    label: Text | None = None
    """bestseller, new_arrival, tag.NAME or category.NAME."""
    category: Text | None = None
    """The products of a category, by the name it has in the shop."""
    items: Listed[Text] | None = None
    """Picked by hand: ids of products or variants, with SHOP_ before them where two shops have one
    alike."""


class AudienceShape(Shape):
    """An audience made of a segment."""

    segment: Text
    """The segment's name."""
    value: Literal["amount_spent"] | None = None
    """What each of its people is worth, for audiences that are alike in that too."""
    sensitive: Literal["accepted"] | None = None
    """Says that you know that its name or rule speaks of health or money, and answer for it."""


class DestinationShape(Shape):
    """What one destination should hold."""

    contacts: Contacts = Field(default_factory=Contacts)
    """Whom it holds."""
    consent: PurposeWord | None = None
    """The permission it needs: email, or ads for meta_audiences."""
    fields: Table[Text] = Field(default_factory=dict)
    """Its fields, each with the attribute that fills it."""
    tags: Tags = Field(default_factory=Tags)
    """Its tags."""
    ecommerce: Flag = "false"
    """Whether orders, products, carts and promotions go there too (mailchimp)."""
    items: ItemsShape | None = None
    """A catalog's items."""
    labels: Table[Text] = Field(default_factory=dict)
    """A catalog's custom labels."""
    sets: Table[SetShape] = Field(default_factory=dict)
    """A catalog's product sets, by the name they have there."""
    audiences: Table[AudienceShape] = Field(default_factory=dict)
    """Advertising audiences."""
    tables: Listed[TableWord] = Field(default_factory=dict)
    """The tables of a files destination."""


class Document(Shape):
    """A mapping: what a shop's words mean, and what each destination should hold."""

    version: Annotated[Text | None, WithJsonSchema({"const": 1})] = None
    """The version of this grammar: 1."""
    orders: Orders = Field(default_factory=Orders)
    """What counts as bought."""
    attributes: Table[AttributeShape] = Field(default_factory=dict)
    """Extra facts from a shop's own fields, by the name they get here."""
    consent: ConsentShape = Field(default_factory=ConsentShape)
    """What people allowed, and where it is written."""
    segments: Table[SegmentShape] = Field(default_factory=dict)
    """Groups of people, by name."""
    destinations: Table[DestinationShape] = Field(default_factory=dict)
    """What each destination should hold, by its name in connector.yaml or by its platform."""
