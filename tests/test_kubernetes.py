"""docs/kubernetes/ is what Kubernetes takes, says the same as the settings do, and holds no secret."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from runtime.console_settings import ConsoleSettings
from runtime.etl_settings import EtlSettings
from runtime.settings import ApiSettings, MigrateSettings, NotifierSettings
from runtime.sources import is_secret

HOUSE = Path(__file__).parent.parent
FOLDER = HOUSE / "docs" / "kubernetes"
INSTALLATION = (HOUSE / "docs" / "installation.md").read_text(encoding="utf-8")
OLDEST, NEWEST = "1.30", "1.37"

KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
OBJECTS = {
    f"{one['kind']} {one['metadata']['name']}": one
    for file in KUSTOMIZATION["resources"]
    for one in yaml.safe_load_all((FOLDER / file).read_text(encoding="utf-8"))
}
PODS: dict[str, Any] = {
    one["metadata"]["name"]: one["spec"]["template"] for one in OBJECTS.values() if "template" in one["spec"]
}
SETTINGS = {
    name.upper(): field
    for kind in (MigrateSettings, ApiSettings, ConsoleSettings, NotifierSettings, EtlSettings)
    for name, field in kind.model_fields.items()
}
SECRETS = {name for name, field in SETTINGS.items() if is_secret(field)}
SIERRA = {"SIERRA_API_CLIENT_KEY", "SIERRA_API_CLIENT_SECRET"}
ETL = {"SIERRA_DNA_PASSWORD", "ETL_CLIENT_API_KEY"}
COMMON = dict(
    line.split("=", 1)
    for line in (FOLDER / "settings.env").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)


def container(pod: str) -> Any:
    (only,) = PODS[pod]["spec"]["containers"]
    return only


def variables(pod: str) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(pod)["env"]}


def secret_files(pod: str) -> dict[str, str]:
    """The pod's secret settings, and the files that hold them. ETL_STATE_FILE is a setting of its own."""
    given = variables(pod).items()
    return {name.removesuffix("_FILE"): file for name, file in given if name.endswith("_FILE") and name not in SETTINGS}


def mounted(pod: str) -> dict[str, str]:
    """The secrets that the pod has as files: the file, and where it is from."""
    (volume,) = (one for one in PODS[pod]["spec"]["volumes"] if one["name"] == "secrets")
    files: dict[str, str] = {}
    for source in [one["secret"] for one in volume.get("projected", {"sources": [volume]})["sources"]]:
        secret = source.get("name") or source["secretName"]
        every = [{"key": key, "path": key} for key in created()[secret]]
        files |= {f"/run/secrets/{one['path']}": f"{secret}/{one['key']}" for one in source.get("items", every)}
    return files


def created() -> dict[str, list[str]]:
    """The secrets that docs/installation.md has one make, and their keys."""
    lines = re.findall(r"^kubectl create secret generic (\S+)(.*)$", INSTALLATION, re.MULTILINE)
    return {name: re.findall(r"--from-file=(\w+)", rest) for name, rest in lines}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", OBJECTS)
def test_kubernetes_takes_every_object(name: str, version: str) -> None:
    assert kubernetes_validate.validate(OBJECTS[name], version, strict=True) == version


def test_the_kustomization_names_every_file() -> None:
    named = {*KUSTOMIZATION["resources"], *KUSTOMIZATION["configMapGenerator"][0]["envs"], "kustomization.yaml"}
    assert named == {file.name for file in FOLDER.iterdir()}


def test_every_pod_runs_the_image_that_the_kustomization_renames() -> None:
    (image,) = KUSTOMIZATION["images"]
    assert {container(pod)["image"] for pod in PODS} == {image["name"]}


def test_settings_for_all_pods_are_settings_and_no_secrets() -> None:
    assert COMMON.keys() <= SETTINGS.keys() - SECRETS
    assert COMMON["MIGRATE_AT_START"] == "false"


@pytest.mark.parametrize("pod", PODS)
def test_every_variable_of_a_pod_is_a_setting_and_its_secrets_are_files(pod: str) -> None:
    given = variables(pod)
    as_files = secret_files(pod)
    assert as_files.keys() <= SECRETS
    assert given.keys() - {f"{name}_FILE" for name in as_files} <= SETTINGS.keys() - SECRETS
    assert set(as_files.values()) <= mounted(pod).keys()
    (common,) = container(pod)["envFrom"]
    assert common["configMapRef"]["name"] == KUSTOMIZATION["configMapGenerator"][0]["name"]


@pytest.mark.parametrize(
    ("pod", "role", "secrets"),
    [
        ("signum-migrate", "signum", SECRETS - SIERRA - ETL - {"DATABASE_URL", "SENTRY_DSN", "SIGNUM_READER_PASSWORD"}),
        ("signum-api", "signum_api", {"DB_PASSWORD"}),
        ("signum-console", "signum_console", {"DB_PASSWORD"}),
        ("signum-notifier", "signum_notifier", {"DB_PASSWORD", *SIERRA}),
        ("signum-operator", "signum_operator", {"DB_PASSWORD", *SIERRA}),
        ("signum-etl", None, ETL),
    ],
)
def test_a_pod_has_a_role_of_its_own_and_no_secret_of_another(pod: str, role: str | None, secrets: set[str]) -> None:
    given = variables(pod)
    assert given.get("DB_USER") == role
    assert secret_files(pod).keys() == secrets
    assert mounted(pod).keys() == set(secret_files(pod).values())
    if role:
        assert mounted(pod)[given["DB_PASSWORD_FILE"]] == f"signum-database/{role.partition('_')[2] or 'owner'}"


def test_no_object_is_a_secret() -> None:
    assert not any(one["kind"] == "Secret" for one in OBJECTS.values())
    assert "secretGenerator" not in KUSTOMIZATION


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_has_no_rights_and_can_write_nowhere_but_in_tmp(pod: str) -> None:
    spec, dockerfile = PODS[pod]["spec"], (HOUSE / "Dockerfile").read_text(encoding="utf-8")
    user = spec["securityContext"]
    assert f"\nUSER {user['runAsUser']}:{user['runAsGroup']}\n" in dockerfile
    assert user["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False
    assert container(pod)["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [one["mountPath"] for one in container(pod)["volumeMounts"] if not one.get("readOnly")] == ["/tmp"]


@pytest.mark.parametrize("name", OBJECTS)
def test_what_selects_pods_finds_those_that_are_meant(name: str) -> None:
    spec = OBJECTS[name]["spec"]
    if selector := spec.get("selector"):
        wanted = selector.get("matchLabels", selector)
        own = name.split()[1]
        assert [pod for pod, it in PODS.items() if wanted.items() <= it["metadata"]["labels"].items()] == [own]


def test_ports_are_those_that_the_processes_listen_on() -> None:
    ports = {pod: {one["name"]: one["containerPort"] for one in container(pod).get("ports", [])} for pod in PODS}
    assert ports["signum-api"] == {
        "http": ApiSettings.model_fields["api_port"].default,
        "metrics": int(variables("signum-api")["API_METRICS_PORT"]),
    }
    assert ports["signum-notifier"] == {"metrics": int(variables("signum-notifier")["NOTIFIER_METRICS_PORT"])}
    assert ports["signum-etl"] == {"metrics": int(variables("signum-etl")["ETL_METRICS_PORT"])}


def test_an_update_takes_no_pod_away_before_another_is_ready() -> None:
    for name in ("signum-api", "signum-notifier"):
        assert OBJECTS[f"Deployment {name}"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert OBJECTS[f"Deployment {name}"]["spec"]["replicas"] == 2
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container(name).keys()


def test_no_etl_runs_unasked_and_never_two() -> None:
    spec = OBJECTS["Deployment signum-etl"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (0, {"type": "Recreate"})
    assert "replicas: [{name: signum-etl, count: 1}]" in INSTALLATION
    assert {"startupProbe", "livenessProbe"} <= container("signum-etl").keys()
