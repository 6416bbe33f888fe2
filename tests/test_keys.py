"""One secret, and a key of its own for each use; what is left of somebody tells nobody who."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from connector.errors import ConfigurationFault
from connector.keys import Keyring, Use, derive, is_digest
from connector.settings import Settings, load_settings

ONE, TWO = "the-first-secret-key-1", "the-second-secret-key-2"


def test_it_is_the_hkdf_of_rfc_5869() -> None:
    """Extract with a salt, then one block of expand: worked out here step by step."""
    extracted = hmac.digest(b"shop-connector", ONE.encode(), "sha256")
    expected = hmac.digest(extracted, b"connector session\x01", "sha256")
    assert expected == derive(ONE, Use.SESSION)


def test_every_use_has_another_key() -> None:
    """Threat R7: neither the uses nor the secrets share one."""
    keys = {derive(secret, use) for secret in (ONE, TWO) for use in Use}
    assert 2 * len(Use) == len(keys)
    assert {32} == {len(key) for key in keys}


def test_the_first_key_writes_and_all_recognise() -> None:
    """After a rotation the old digest is still among those that are looked for."""
    before, after = Keyring.of([ONE]), Keyring.of([TWO, ONE])
    old = before.digest("a@x.example")
    assert after.digest("a@x.example") != old
    assert old in after.digests("a@x.example")
    assert after.versions[1] == before.versions[0]


def test_another_key_or_contact_is_another_digest() -> None:
    """Nothing is equal that should not be, and what stands in the ledger says what it is."""
    ring = Keyring.of([ONE])
    told = {ring.digest("a@x.example").contact, ring.digest("b@x.example").contact}
    told |= {Keyring.of([TWO]).digest("a@x.example").contact}
    assert 3 == len(told)
    assert all(is_digest(contact) and "@" not in contact for contact in told)
    assert not is_digest("erased@x.example")


def test_keys_are_not_shown() -> None:
    """Not in a traceback, not in a log."""
    ring = Keyring.of([ONE])
    assert derive(ONE, Use.SUPPRESSION).hex() not in repr(ring)
    assert ONE not in repr(ring)


def test_without_a_key_nothing_is_digested() -> None:
    """The fault names the variable and how to make a key."""
    with pytest.raises(ConfigurationFault, match="CONNECTOR_SECRET_KEY is not set"):
        Keyring().digest("a@x.example")
    assert () == Keyring().digests("a@x.example")


def test_keys_of_the_installation_are_read(tmp_path: Path) -> None:
    """Several with commas between, the one in use first; a short or doubled one is refused."""
    (tmp_path / "connector.yaml").write_text(
        "exports: handed\nshops: {wool: {platform: woocommerce, url: 'https://wool.example'}}\n",
        encoding="utf-8",
    )
    shop = {
        f"CONNECTOR_SHOPS__WOOL__{name}": "a-secret-that-is-long-enough"
        for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "WEBHOOK_SECRET")
    }

    def read(key: str) -> Settings:
        return load_settings(
            tmp_path / "connector.yaml",
            environ={**shop, "CONNECTOR_SECRET_KEY": key},
            secrets=tmp_path / "none",
        )

    settings = read(f"{TWO},{ONE}")
    assert [TWO, ONE] == [each.get_secret_value() for each in settings.secret_key]
    assert tmp_path / "handed" == settings.exports
    for wrong in ("short", f"{ONE},short", f"{ONE},{ONE}", ""):
        with pytest.raises(ConfigurationFault, match="CONNECTOR_SECRET_KEY") as caught:
            read(wrong)
        assert ONE not in str(caught.value)
