"""Open the deliveries of the vendor's lake, by the settings and, where they say so, by its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.settings import Settings
    from metaplat.stores.deliveries import Deliveries


def configured_deliveries(settings: Settings) -> Deliveries:
    """Return the store of delivered files; raises SettingsError, and StoreError where a secret is needed."""
    from metaplat.collectors.vip.credentials import VipCredentials
    from metaplat.stores.deliveries import open_deliveries

    keys = VipCredentials(settings.vip).delivery_keys() if settings.vip.target_from_secret else None
    return open_deliveries(settings, keys)
