"""Encrypted links: who is let in, and what the others are told."""

import stat

import pytest

from policy_server.addresses import bind_address, connect_address
from policy_server.client import connect
from policy_server.keys import new_pair
from tests.policy_server.samples import BRIEF, observation
from tests.policy_server.served import serving
from touchstone.errors import UsageError


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("server", "stranger"):
        new_pair(name, folder)
    new_pair("laptop", folder / "clients")
    return folder


@pytest.fixture(scope="module")
def encrypted(keys):
    where = (keys / "server.key_secret", keys / "clients")
    with serving("tests.policy_server.odd_policies:Reports", "tcp://0.0.0.0:0", keys=where) as (_, url):
        yield url.replace("0.0.0.0", "127.0.0.1")


def test_a_known_client_drives_the_policy_over_an_open_interface(encrypted, keys):
    client = connect(f"{encrypted}?key={keys}/clients/laptop.key_secret&server={keys}/server.key")
    client.reset(BRIEF)
    assert client.infer(observation(3)).answers == 3
    client.close()


@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("", "the keys do not fit"),
        ("?key={k}/stranger.key_secret&server={k}/server.key", "does not know this client's key"),
        ("?key={k}/clients/laptop.key_secret&server={k}/stranger.key", "the keys do not fit"),
    ],
)
def test_anybody_else_is_told_why_not_in_one_sentence(encrypted, keys, query, what):
    with pytest.raises(UsageError, match=what) as caught:
        connect(encrypted + query.format(k=keys), timeout_s=3.0)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_client_with_keys_is_told_that_the_server_has_none(keys):
    with (
        serving("tests.policy_server.odd_policies:Reports") as (_, url),
        pytest.raises(UsageError, match="only one of the two sides"),
    ):
        connect(f"{url}?key={keys}/clients/laptop.key_secret&server={keys}/server.key", timeout_s=3.0)


def test_a_secret_is_for_its_owner_only_and_is_never_overwritten(tmp_path):
    public, secret = new_pair("arm", tmp_path / "new")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600 and "secret" not in public.read_text().split("curve", 1)[1]
    with pytest.raises(UsageError, match="exists already"):
        new_pair("arm", tmp_path / "new")
    with pytest.raises(UsageError, match="no name for a key"):
        new_pair("../arm", tmp_path)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("tcp://192.168.1.4:5555", "without keys"),
        ("tcp://127.0.0.1:5555?key=a", "both key files"),
        ("tcp://127.0.0.1:5555?colour=red", "both key files"),
        ("tcp://127.0.0.1:5555?key=/nowhere/a&server=/nowhere/b", "no key file /nowhere/a"),
        ("ipc:///tmp/x?key=a&server=b", "need none"),
        ("tcp://127.0.0.1:0", "name the port"),
    ],
)
def test_addresses_that_cannot_be_are_one_sentence(url, what):
    with pytest.raises(UsageError, match=what) as caught:
        connect(url, timeout_s=0.2)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_an_open_interface_without_keys_is_refused_before_anything_starts(keys, tmp_path):
    with pytest.raises(UsageError, match="touchstone keys new"):
        bind_address("tcp://0.0.0.0:5555")
    assert bind_address("tcp://0.0.0.0:5555", encrypted=True).endpoint == "tcp://0.0.0.0:5555"
    assert connect_address("tcp://gpu-box:5555?key=a&server=b").server_key.name == "b"
