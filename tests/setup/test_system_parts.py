"""The system parts: what is missing is named, and the way to get it is one line or an installation."""

from __future__ import annotations

from dataclasses import replace

import pytest

INSTALLED = "libvulkan1 libgl1 libegl1 libusb-1.0-0 fonts-noto-color-emoji libxext6"
BOOKWORM = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
ID=debian
VERSION_CODENAME=bookworm
"""
NOBLE = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n'
MIRROR = "http://mirror.invalid/debian"


def dpkg_with(mesa: str = "", without: str = "") -> str:
    rows = [f"{name} installed 1.0-1" for name in INSTALLED.split() if name != without]
    if mesa:
        rows.append(f"mesa-vulkan-drivers installed {mesa}")
    return f"printf '%s\\n' {' '.join(repr(row) for row in rows)}; exit {0 if mesa and not without else 1}"


def madison(*rows: str) -> str:
    lines = [f" mesa-vulkan-drivers | {version} | {MIRROR} {release}/main amd64 Packages" for version, release in rows]
    return "printf '%s\\n' " + " ".join(f"'{line}'" for line in lines) if lines else "true"


@pytest.fixture
def look(tmp_path):
    from touchstone_setup import machine

    def at(os_release: str, **changes):
        path = tmp_path / "os-release"
        path.write_text(os_release)
        found = machine.look(path)
        return replace(found, **{"root": False, "nvidia": False, "nvidia_vulkan": False, **changes})

    return at


def test_a_machine_with_everything_lacks_nothing(fake_programs, look):
    from touchstone_setup import system_parts

    fake_programs({"dpkg-query": dpkg_with("25.0.7-2~bpo12+1")})
    assert not system_parts.missing(look(BOOKWORM))


@pytest.mark.parametrize(("mesa", "lacking"), [("", True), ("22.3.6-1+deb12u1", True), ("24.2.8-1", True)])
def test_a_mesa_that_sapien_refuses_is_lacking(fake_programs, look, mesa, lacking):
    from touchstone_setup import system_parts

    fake_programs({"dpkg-query": dpkg_with(mesa)})
    assert system_parts.missing(look(BOOKWORM)).mesa is lacking


def test_a_mesa_of_the_first_good_version_is_enough(fake_programs, look):
    from touchstone_setup import system_parts

    fake_programs({"dpkg-query": dpkg_with("1:24.3.0-1")})
    assert not system_parts.missing(look(NOBLE))


def test_an_nvidia_driver_makes_mesa_needless(fake_programs, look):
    from touchstone_setup import system_parts

    fake_programs({"dpkg-query": dpkg_with()})
    machine = look(BOOKWORM, nvidia=True, nvidia_vulkan=True)
    assert not system_parts.missing(machine)


def test_debian_12_without_backports_gets_one_line_with_its_own_mirror(fake_programs, look):
    from touchstone_setup import system_parts
    from touchstone_setup.problems import SetupProblem

    fake_programs(
        {
            "dpkg-query": dpkg_with("22.3.6-1+deb12u1", without="fonts-noto-color-emoji"),
            "apt-cache": madison(("22.3.6-1+deb12u1", "bookworm")),
            "apt-get": f"echo '{MIRROR}|bookworm|/usr/share/keyrings/some.gpg'",
        }
    )
    machine = look(BOOKWORM)
    with pytest.raises(SetupProblem) as stop:
        system_parts.install(machine, system_parts.missing(machine), progress=None)
    line = stop.value.paste
    assert "\n" not in line
    assert f"deb [signed-by=/usr/share/keyrings/some.gpg] {MIRROR} bookworm-backports main" in line
    assert "-t bookworm-backports mesa-vulkan-drivers" in line
    assert line.endswith("fonts-noto-color-emoji")
    assert "fonts-noto-color-emoji" in str(stop.value)


def test_configured_backports_are_used_and_not_added_again(fake_programs, look):
    from touchstone_setup import system_parts

    offers = madison(("25.0.7-2~bpo12+1", "bookworm-backports"), ("22.3.6-1+deb12u1", "bookworm"))
    fake_programs({"dpkg-query": dpkg_with("22.3.6-1"), "apt-cache": offers, "apt-get": "true"})
    line = system_parts.paste_line(look(BOOKWORM), system_parts.missing(look(BOOKWORM)))
    assert "tee" not in line
    assert "-t bookworm-backports mesa-vulkan-drivers libvulkan1" in line


def test_ubuntu_takes_mesa_from_its_updates(fake_programs, look):
    from touchstone_setup import system_parts

    offers = madison(("25.0.7-0ubuntu0.24.04.2", "noble-updates"), ("24.0.5-1ubuntu1", "noble"))
    fake_programs({"dpkg-query": dpkg_with("24.0.5-1ubuntu1"), "apt-cache": offers, "apt-get": "true"})
    assert "-t noble-updates mesa" in system_parts.paste_line(look(NOBLE), system_parts.missing(look(NOBLE)))


def test_a_release_without_a_good_mesa_is_told_so(fake_programs, look):
    from touchstone_setup import system_parts
    from touchstone_setup.problems import SetupProblem

    jammy = NOBLE.replace("24.04.1", "22.04.5").replace("noble", "jammy")
    fake_programs({"dpkg-query": dpkg_with(), "apt-cache": madison(("23.2.1-1ubuntu3", "jammy-updates"))})
    with pytest.raises(SetupProblem, match=r"Mesa >= 24\.3.*Ubuntu 22\.04"):
        system_parts.paste_line(look(jammy), system_parts.missing(look(jammy)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"family": frozenset({"fedora"}), "distribution": "Fedora 42"}, "Fedora 42"),
        ({"architecture": "aarch64"}, "aarch64"),
    ],
)
def test_a_machine_that_cannot_work_is_refused_in_one_sentence(look, change, told):
    from touchstone_setup import machine
    from touchstone_setup.problems import SetupProblem

    with pytest.raises(SetupProblem, match=told):
        machine.check(look(BOOKWORM, **change))


def test_a_full_disk_is_refused_before_any_download(tmp_path):
    from touchstone_setup import machine
    from touchstone_setup.problems import SetupProblem

    with pytest.raises(SetupProblem, match="GB free"):
        machine.check_disk(tmp_path, needed_gb=1e9)
