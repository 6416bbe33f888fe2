"""One push: the calls for a batch of changes in their right order, withdrawals before all else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.mailchimp.answers import Member, read_batch
from adapters.mailchimp.audience_client import MOST_MEMBERS, MailchimpClient
from adapters.mailchimp.following import Following
from adapters.mailchimp.judging import SetStatus, is_own_archive, judge, must_ask
from adapters.mailchimp.patience import Patience
from adapters.mailchimp.planning import Action, Audience, Plan
from adapters.mailchimp.refusals import Complaint, Meaning, Refused, TooLarge, meaning, parked
from connector.errors import LaneDown, TryLater
from connector.model import Json, Outcome, Permission, Postponed, Settled

_WHOLLY_GONE = (Action.ARCHIVE, Action.ERASE)
_MOST_FIELDS_DROPPED = 4  # one by one; after that the contact is written without any
_MOST_REFUSED_ALONE = 8  # with none taken: then it is not the contacts


class Push:
    """The state of one push; ``run`` gives an outcome for every plan.

    Once Mailchimp asks for patience no further call is made: what is not settled is postponed.
    """

    def __init__(
        self, client: MailchimpClient, audience: Audience, tag_ids: dict[str, int], now: datetime
    ) -> None:
        self._client = client
        self._audience = audience
        self._tag_ids = tag_ids
        self._now = now
        self._outcomes: dict[str, Outcome] = {}
        self._members: dict[str, Member] = {}
        self._before: dict[str, Member] = {}
        self._answers = Following(client, audience, now)
        self._patience = Patience()
        self._taken = 0
        self._absent = 0
        self._refused_alone = 0

    def run(self, plans: Sequence[Plan]) -> dict[str, Outcome]:
        """Make the calls. Raises `LaneDown`, or `TryLater` when nothing at all was taken."""
        by_action: dict[Action, list[Plan]] = {action: [] for action in Action}
        for each in plans:
            by_action[each.action].append(each)
        for each in by_action[Action.NOTHING]:
            self._outcomes[each.change.key] = Settled(note=each.note)
        self._each(self._erase, by_action[Action.ERASE])
        self._each(self._unsubscribe, by_action[Action.UNSUBSCRIBE])
        self._each(self._archive, by_action[Action.ARCHIVE])
        self._write(self._those_present(by_action[Action.WRITE]))
        self._leave_tags([each for each in plans if each.action not in _WHOLLY_GONE])
        if self._absent and not self._taken:
            self._client.audience()  # of an audience that is gone, nobody's absence says anything
        return self._whole(plans)

    def _whole(self, plans: Sequence[Plan]) -> dict[str, Outcome]:
        late = self._patience.late
        whole = {each.change.key: self._outcomes.get(each.change.key, late) for each in plans}
        nothing = all(isinstance(outcome, Postponed) for outcome in whole.values())
        if self._patience.asked and nothing:
            raise self._patience.asked
        return whole

    # --- one by one, over a few connections --------------------------------------------------

    def _each(self, act: Callable[[Plan], Outcome | None], plans: Sequence[Plan]) -> None:
        self._outcomes |= self._patience.each(act, plans)

    def _unsubscribe(self, each: Plan) -> Outcome:
        """Unsubscribe a person we never held: one that is not there is not created for it."""
        try:
            said = self._client.unsubscribe(each.email)
        except Refused as refused:
            return self._answers.refused(each, refused)
        member = Member.read(said or {})
        if said is None:
            self._absent += 1
            return Settled(note="not in the audience: nothing to withdraw")
        if member is None:
            return Postponed(reason="Mailchimp's answer lacks the contact's status")
        self._taken += 1
        return self._answers.follow(each, member)

    def _erase(self, each: Plan) -> Outcome:
        """Delete a person for good, whoever brought them into the audience."""
        try:
            there = self._client.delete_for_good(each.email)
        except Refused as refused:
            return self._answers.refused(each, refused)
        self._taken += there
        self._absent += not there
        return Settled(note="" if there else "was not in the audience")

    def _archive(self, each: Plan) -> Outcome:
        """Take our tags away and archive: a contact that comes back wears none of an old time."""
        tags = list(each.leaves.values())
        try:
            there = not tags or self._client.leave_tags(each.email, tags)
            there = there and self._client.archive(each.email)
        except Refused as refused:
            return self._answers.refused(each, refused)
        self._taken += there
        self._absent += not there
        return Settled(note="" if there else "was not in the audience any more")

    def _those_present(self, plans: Sequence[Plan]) -> Sequence[Plan]:
        """With ``existing_only``, those whom the audience has; nobody is created.

        Whom we removed before is looked at too: who archived them, our writing would hide.
        """
        existing_only, strangers = self._audience.existing_only, set[str]()

        def look(each: Plan) -> Outcome | None:
            member = Member.read(self._client.read(each.email) or {})
            if member is not None:
                self._before[each.change.key] = member
            archived = member is not None and member.status == "archived"
            if existing_only and (
                member is None or (archived and not is_own_archive(each, member))
            ):
                self._absent += 1
                strangers.add(each.change.key)
                return Settled(note="not in the audience")
            return None

        self._each(look, [each for each in plans if existing_only or each.change.removed_at])
        return [each for each in plans if each.change.key not in strangers]

    # --- the batch ---------------------------------------------------------------------------

    def _write(self, plans: Sequence[Plan]) -> None:
        ordered = sorted(plans, key=lambda each: each.permission is not Permission.WITHDRAWN)
        for _ in range(_MOST_FIELDS_DROPPED + 1):
            ordered = self._batches(ordered)
        self._batches([replace(each, item=_without(each.item, None)) for each in ordered])

    def _batches(self, plans: Sequence[Plan]) -> list[Plan]:
        starts = range(0, len(plans), MOST_MEMBERS)
        return [late for at in starts for late in self._batch(plans[at : at + MOST_MEMBERS])]

    def _batch(self, plans: Sequence[Plan]) -> list[Plan]:
        """Write a batch; gives those to be written again without a field that was refused."""
        if not plans or self._patience.asked:
            return []
        try:
            members, errors = read_batch(self._client.write([each.item for each in plans]))
        except (TooLarge, Refused) as whole:
            return self._halves(plans, whole)
        except TryLater as later:
            self._patience.asked = later
            return []
        again: list[Plan] = []
        taken: list[Plan] = []
        for each in plans:
            key = each.email.lower()
            if key in errors:
                self._complained(each, Complaint.from_item(errors[key]), again)
            elif key in members:
                self._taken += 1
                self._members[each.change.key] = self._dated(each, members[key])
                taken.append(each)
        self._follow_all(taken)
        return again

    def _halves(self, plans: Sequence[Plan], whole: TooLarge | Refused) -> list[Plan]:
        if len(plans) > 1:
            middle = len(plans) // 2
            return [*self._batch(plans[:middle]), *self._batch(plans[middle:])]
        [alone] = plans
        if isinstance(whole, TooLarge):
            self._outcomes[alone.change.key] = parked(Meaning.TOO_LARGE, Complaint(words=""))
            return []
        self._refused_alone += 1
        if self._refused_alone > _MOST_REFUSED_ALONE and not self._taken:
            raise LaneDown(
                f"Mailchimp refuses every contact: {whole.title}",
                mend="Look at the audience's settings in Mailchimp, its required fields first.",
            )
        again: list[Plan] = []
        self._complained(alone, whole.complaint, again)
        return again

    def _complained(self, each: Plan, complaint: Complaint, again: list[Plan]) -> None:
        what = meaning(complaint)
        fields = each.item.get("merge_fields", {})
        named = complaint.field.upper()
        of_field = what in (Meaning.BAD_FIELD, Meaning.MISSING_FIELD)
        if of_field and (named in fields or (fields and not named)):
            note = f"left out: {named or 'every field'}, refused by Mailchimp"
            slim = _without(each.item, named or None)
            again.append(replace(each, item=slim, note="; ".join(filter(None, (each.note, note)))))
        elif what is Meaning.MISSING_FIELD:
            raise LaneDown(
                f"Mailchimp's audience requires the field {named}, which is not mapped",
                mend="Make that field optional in Mailchimp, or map it.",
            )
        else:
            self._each(lambda plan: self._answers.verdict(plan, what, complaint), [each])

    # --- what follows from an answer ---------------------------------------------------------

    def _dated(self, each: Plan, member: Member) -> Member:
        before = self._before.get(each.change.key, member)
        archived = member.status == before.status == "archived"
        return replace(member, last_changed=before.last_changed) if archived else member

    def _follow_all(self, plans: Sequence[Plan]) -> None:
        """Judge what was taken; most need no further call."""
        calls = []
        for each in plans:
            member = self._members[each.change.key]
            verdict = judge(each, member, self._audience, now=self._now)
            if must_ask(each, member) or isinstance(verdict, SetStatus):
                calls.append(each)
            else:
                self._outcomes[each.change.key] = verdict
        if calls:
            self._each(
                lambda each: self._answers.follow(each, self._members[each.change.key]), calls
            )

    # --- tags --------------------------------------------------------------------------------

    def _leave_tags(self, plans: Sequence[Plan]) -> None:
        """Take our tags away, by tag or by contact, whichever takes fewer calls."""
        leaving: dict[str, dict[str, str]] = {}
        by_tag: dict[str, list[Plan]] = {}
        for each in plans:
            if isinstance(self._outcomes.get(each.change.key), Settled):
                member = self._members.get(each.change.key)
                tags = {
                    form: name
                    for form, name in each.leaves.items()
                    if member is None or form in member.tags
                }
                leaving[each.change.key] = tags
                for form in tags:
                    by_tag.setdefault(form, []).append(each)
                if member is not None:
                    self._tag_ids.update({form: member.tags[form] for form in tags})
        contacts = [each for each in plans if leaving.get(each.change.key)]
        unknown = any(form not in self._tag_ids for form in by_tag)
        if len(by_tag) + unknown < len(contacts):
            self._leave_by_tag(by_tag, look_up=unknown)
        else:
            self._each(lambda each: self._leave_alone(each, leaving[each.change.key]), contacts)

    def _leave_alone(self, each: Plan, tags: Mapping[str, str]) -> Outcome:
        try:
            self._client.leave_tags(each.email, list(tags.values()))
        except Refused as refused:
            return self._answers.refused(each, refused)
        return self._outcomes[each.change.key]

    def _leave_by_tag(self, by_tag: Mapping[str, Sequence[Plan]], *, look_up: bool) -> None:
        try:
            if look_up:
                self._look_up_tags()
            for form, plans in by_tag.items():
                self._leave_one_tag(form, [each.email for each in plans])
        except TryLater as later:
            self._patience.asked = later
            for each in {plan.change.key for plans in by_tag.values() for plan in plans}:
                self._outcomes[each] = self._patience.late

    def _leave_one_tag(self, form: str, emails: Sequence[str]) -> None:
        if form in self._tag_ids and not self._client.leave_tag(self._tag_ids[form], emails):
            self._look_up_tags()  # deleted in Mailchimp, and perhaps made again
            if form in self._tag_ids:
                self._client.leave_tag(self._tag_ids[form], emails)

    def _look_up_tags(self) -> None:
        self._tag_ids.clear()
        self._tag_ids.update(self._client.tag_ids())


def _without(item: Mapping[str, Json], tag: str | None) -> dict[str, Json]:
    """The item without one merge field, or without any."""
    kept = {name: value for name, value in item.get("merge_fields", {}).items() if name != tag}
    rest = {name: value for name, value in item.items() if name != "merge_fields"}
    return {**rest, "merge_fields": kept} if kept and tag is not None else rest
