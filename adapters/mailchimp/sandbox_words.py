"""What the stand-in accepts: the shape of every body, as strict as Mailchimp's own description.

https://mailchimp.com/developer/marketing/api/lists/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

_Status: TypeAlias = Literal["subscribed", "unsubscribed", "cleaned", "pending", "transactional"]
_Changed: TypeAlias = Literal["subscribed", "unsubscribed", "cleaned", "pending"]
_Type: TypeAlias = Literal[
    "text",
    "number",
    "address",
    "phone",
    "date",
    "url",
    "imageurl",
    "radio",
    "dropdown",
    "birthday",
    "zip",
]
_MOMENT = (
    r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"
    r"|^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:?\d{2})$"
    r"|^(?![\s\S])"
)
_Moment: TypeAlias = Annotated[str, Meta(pattern=_MOMENT)]
_Whole: TypeAlias = Annotated[float, Meta(multiple_of=1)]  # JSON has one kind of number: 1.0 is 1


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class _Location(_Strict):
    latitude: float | UnsetType = UNSET
    longitude: float | UnsetType = UNSET


class _Address(_Strict, kw_only=True):
    addr1: str
    city: str
    state: str
    zip: str
    addr2: str | UnsetType = UNSET
    country: str | UnsetType = UNSET


class _Permission(_Strict):
    marketing_permission_id: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class _Person(_Strict):
    email_address: str | UnsetType = UNSET
    email_type: str | UnsetType = UNSET
    interests: dict[str, bool] | UnsetType = UNSET
    language: str | UnsetType = UNSET
    vip: bool | UnsetType = UNSET
    location: _Location | UnsetType = UNSET
    ip_signup: str | UnsetType = UNSET
    timestamp_signup: _Moment | UnsetType = UNSET
    ip_opt: str | UnsetType = UNSET
    timestamp_opt: _Moment | UnsetType = UNSET


class _BatchMember(_Person):
    status: _Status | UnsetType = UNSET
    status_if_new: _Status | UnsetType = UNSET
    merge_fields: dict[str, Any] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.status is UNSET and self.status_if_new is UNSET:
            raise ValueError("a member needs status or status_if_new")


class _SingleMember(_Person):
    merge_fields: dict[str, _Address | str | float] | UnsetType = UNSET
    marketing_permissions: list[_Permission] | UnsetType = UNSET


class _Batch(_Strict):
    members: Annotated[list[_BatchMember], Meta(max_length=500)]
    sync_tags: bool | UnsetType = UNSET
    update_existing: bool | UnsetType = UNSET


class _Put(_SingleMember, kw_only=True):
    email_address: str
    status: _Status | UnsetType = UNSET
    status_if_new: _Status | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class _Post(_SingleMember, kw_only=True):
    email_address: str
    status: _Status
    tags: list[str] | UnsetType = UNSET


class _Patch(_SingleMember):
    status: _Changed | UnsetType = UNSET


class _Tag(_Strict):
    name: str
    status: Literal["active", "inactive"]


class _Tags(_Strict):
    tags: list[_Tag]
    is_syncing: bool | UnsetType = UNSET


class _Options(_Strict):
    match: Literal["any", "all"] | UnsetType = UNSET
    conditions: list[dict[str, Any]] | UnsetType = UNSET


class _Segment(_Strict, kw_only=True):
    name: str
    static_segment: list[str] | UnsetType = UNSET
    options: _Options | UnsetType = UNSET


class _SegmentMembers(_Strict):
    members_to_add: list[str] | UnsetType = UNSET
    members_to_remove: list[str] | UnsetType = UNSET


class _FieldOptions(_Strict):
    default_country: _Whole | UnsetType = UNSET
    phone_format: str | UnsetType = UNSET
    date_format: str | UnsetType = UNSET
    choices: list[str] | UnsetType = UNSET
    size: _Whole | UnsetType = UNSET


class _Field(_Strict, kw_only=True):
    name: str
    type: _Type
    tag: str | UnsetType = UNSET
    required: bool | UnsetType = UNSET
    default_value: str | UnsetType = UNSET
    public: bool | UnsetType = UNSET
    display_order: _Whole | UnsetType = UNSET
    options: _FieldOptions | UnsetType = UNSET
    help_text: str | UnsetType = UNSET


class _Events(_Strict):
    subscribe: bool | UnsetType = UNSET
    unsubscribe: bool | UnsetType = UNSET
    profile: bool | UnsetType = UNSET
    cleaned: bool | UnsetType = UNSET
    upemail: bool | UnsetType = UNSET
    campaign: bool | UnsetType = UNSET


class _Sources(_Strict):
    user: bool | UnsetType = UNSET
    admin: bool | UnsetType = UNSET
    api: bool | UnsetType = UNSET


class _Webhook(_Strict):
    url: str | UnsetType = UNSET
    events: _Events | UnsetType = UNSET
    sources: _Sources | UnsetType = UNSET


BODIES: Mapping[str, type[msgspec.Struct]] = {
    "POST /lists/{list_id}": _Batch,
    "POST /lists/{list_id}/members": _Post,
    "PUT /lists/{list_id}/members/{subscriber_hash}": _Put,
    "PATCH /lists/{list_id}/members/{subscriber_hash}": _Patch,
    "POST /lists/{list_id}/members/{subscriber_hash}/tags": _Tags,
    "POST /lists/{list_id}/segments": _Segment,
    "POST /lists/{list_id}/segments/{segment_id}": _SegmentMembers,
    "POST /lists/{list_id}/merge-fields": _Field,
    "POST /lists/{list_id}/webhooks": _Webhook,
    "PATCH /lists/{list_id}/webhooks/{webhook_id}": _Webhook,
}
"""The shape of the body of every endpoint that takes one."""


def read_body(endpoint: str, body: bytes) -> Any:
    """The body as JSON. Raises `ValueError` with what is wrong with it.

    An endpoint that takes no body minds none.
    """
    shape = BODIES.get(endpoint)
    if shape is None:
        return None
    try:
        said = msgspec.json.decode(body)
        msgspec.convert(said, type=shape)
    except RecursionError:
        raise ValueError("too deep") from None
    return said
