"""Makes the storage that the settings name."""

from __future__ import annotations

from bot.settings import Complaint, SettingsWrong, StorageSettings, expected_of
from bot.storage.local import LocalStorage
from bot.storage.s3 import BucketLocation, S3Storage
from bot.storage.storage import Storage


def storage_of(settings: StorageSettings) -> Storage:
    """Opens nothing yet. Raises SettingsWrong, a line each, when the provider's settings are incomplete."""
    if settings.chosen == "local":
        return LocalStorage(settings.dir)
    location, names = _location(settings)
    values = (location.bucket, location.endpoint, location.key_id, location.secret)
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        needed = {"storage": settings.chosen}
        raise SettingsWrong(
            [Complaint(name, "not_set_for_storage", expected_of(StorageSettings, name), needed) for name in missing]
        )
    return S3Storage(location)


def _location(settings: StorageSettings) -> tuple[BucketLocation, tuple[str, str, str, str]]:
    """The bucket's location as far as it is set, and the variables for it."""
    match settings.chosen:
        case "r2":
            secret = settings.r2_secret_access_key
            location = (settings.r2_bucket, settings.r2_endpoint, "auto", settings.r2_access_key_id)
            names = ("R2_BUCKET", "R2_ENDPOINT", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY")
        case "minio":
            secret = settings.minio_secret_key
            # MinIO's default region; it accepts this name for any other.
            location = (settings.minio_bucket, settings.minio_endpoint, "us-east-1", settings.minio_access_key)
            names = ("MINIO_BUCKET", "MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY")
        case _:
            secret, region = settings.aws_secret_access_key, settings.aws_region
            endpoint = settings.aws_endpoint_url_s3 or f"https://s3.{region}.amazonaws.com"
            location = (settings.aws_s3_bucket, endpoint, region, settings.aws_access_key_id)
            names = ("AWS_S3_BUCKET", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    bucket, address, region, key_id = location
    return BucketLocation(
        bucket or "", address or "", region, key_id or "", secret.get_secret_value() if secret else ""
    ), names
