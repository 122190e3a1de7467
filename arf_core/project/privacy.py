"""Decides whether a host may be contacted: models, hubs and datasets all ask here."""

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from arf_core.errors import ModelError
from arf_core.project.settings import PrivacySettings

HUB_HOST = "huggingface.co"


def hub_address() -> str:
    """The Hugging Face hub, or the mirror that HF_ENDPOINT names."""
    return os.environ.get("HF_ENDPOINT") or f"https://{HUB_HOST}"


def host_of(address: str) -> str:
    return urlsplit(address).hostname or address


def is_this_machine(host: str) -> bool:
    """Loopback by name or number; any other name could be anywhere."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def admit_host(host: str, privacy: PrivacySettings, what: str, instead: str) -> None:
    """Raises ModelError if the project's privacy settings forbid `host`.

    `what` begins the message ("gpt is at"), `instead` begins the hint with an alternative.
    """
    if is_this_machine(host):
        return
    if privacy.offline:
        raise ModelError(
            f"{what} {host}, and this project is offline: nothing leaves this machine.",
            f"{instead}, or set offline = false under [privacy] in arf.toml.",
            fatal=True,
        )
    if privacy.allow is not None and host not in privacy.allow:
        allowed = ", ".join(privacy.allow) or "no host"
        raise ModelError(
            f"{what} {host}; this project may reach {allowed}.",
            f'{instead}, or add "{host}" to allow under [privacy] in arf.toml.',
            fatal=True,
        )
