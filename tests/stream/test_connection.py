import ssl
import subprocess
from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.stream.connection import Connection


def pair(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-keyout", str(key), "-out", str(cert), "-subj", "/CN=kafka", "-days", "1"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return cert, key


def test_a_plain_connection_is_an_address_alone() -> None:
    assert Connection("kafka:9092").options() == {
        "bootstrap_servers": "kafka:9092",
        "security_protocol": "PLAINTEXT",
    }


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_a_user_is_told_by_mechanism_name_and_password(protocol: str) -> None:
    connection = Connection("kafka:9092", protocol, "SCRAM-SHA-512", "me", "secret")
    options = connection.options()
    assert options.pop("ssl_context", None) is None or protocol == "SASL_SSL"
    assert options == {
        "bootstrap_servers": "kafka:9092",
        "security_protocol": protocol,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "me",
        "sasl_plain_password": "secret",
    }
    assert "secret" not in repr(connection)


def test_without_a_file_the_systems_authorities_are_trusted_and_names_are_checked() -> None:
    context = Connection("kafka:9093", "SSL").options()["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_files_are_used(tmp_path: Path) -> None:
    cert, key = pair(tmp_path)
    connection = Connection("kafka:9093", "SSL", ca_file=cert, cert_file=cert, key_file=key)
    context = connection.options()["ssl_context"]
    assert context.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize("missing", ["ca_file", "cert_file", "key_file"])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, missing: str) -> None:
    cert, key = pair(tmp_path)
    files = {"ca_file": cert, "cert_file": cert, "key_file": key, missing: tmp_path / "none.pem"}
    with pytest.raises(ConfigError, match=r"kafka.security: .*none\.pem.* must be PEM files"):
        Connection("kafka:9093", "SSL", **files).options()
    (tmp_path / "none.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"none\.pem"):
        Connection("kafka:9093", "SSL", **files).options()


def test_no_file_is_asked_for_where_nothing_is_encrypted(tmp_path: Path) -> None:
    assert "ssl_context" not in Connection("kafka:9092", ca_file=tmp_path / "none.pem").options()
