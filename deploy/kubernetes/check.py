"""Holds the manifests against the API's schemas, the rules of this project and the Compose stage; and so the Swarm's stack.

usage: check.py  (after `pip install -r requirements.txt`; `make kubernetes` does both)

Each overlay is put together as kustomize would (its resources, patches and images), so that what is checked is what would be
applied. Kinds that an operator brings (Postgres, ServiceMonitor) have no schema here: of them only the names are looked at.
"""

import copy
import pathlib
import sys

import kubernetes_validate
import yaml

HERE = pathlib.Path(__file__).resolve().parent
# The lowest and the highest release that the manifests promise to fit: a preStop sleep came with 1.30.
RELEASES = ["1.30", kubernetes_validate.latest_version()]
BROUGHT_BY_OPERATORS = {"postgresql.cnpg.io/v1", "monitoring.coreos.com/v1"}
# What differs on purpose between the two stages: names of other services, and where settings come from.
STAGE_ONLY = {"OTEL_EXPORTER_OTLP_ENDPOINT", "HOLDFAST_ALLOWED_HOSTS", "DATABASE_URL", "HOLDFAST_ADMIN_TOKEN", "HOLDFAST_POLICIES", "HOLDFAST_WORKER_URL", "HOLDFAST_WORK_CAPACITY", "HOLDFAST_WORK_WARMUP", "HOLDFAST_LOG_FORMAT"}


def documents(path):
    return [it for it in yaml.safe_load_all(path.read_text()) if it]


def identity(resource):
    return resource["kind"], resource["metadata"]["name"]


def merged(base, patch):
    """A strategic merge: maps by key, lists of named things by name, `null` takes away."""
    if isinstance(base, dict) and isinstance(patch, dict):
        result = copy.deepcopy(base)
        for key, value in patch.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = merged(base.get(key), value)
        return result
    named = lambda items: isinstance(items, list) and all(isinstance(it, dict) and "name" in it for it in items)
    if named(base) and named(patch):
        result = {it["name"]: it for it in base}
        for item in patch:
            result[item["name"]] = merged(result.get(item["name"]), item)
        return list(result.values())
    return copy.deepcopy(patch)


def built(folder):
    """The resources of a kustomization, by kind and name."""
    [kustomization] = documents(folder / "kustomization.yaml")
    named = set(kustomization["resources"]) | {it["path"] for it in kustomization.get("patches", [])}
    there = {it.name for it in folder.glob("*.yaml")} - {"kustomization.yaml"}
    if unnamed := there - named:
        fail(f"{folder}: {sorted(unnamed)} is not named in kustomization.yaml")
    result = {}
    for name in kustomization["resources"]:
        path = folder / name
        found = built(path).values() if path.is_dir() else documents(path)
        result |= {identity(it): it for it in found}
    for patch in kustomization.get("patches", []):
        for document in documents(folder / patch["path"]):
            if identity(document) not in result:
                fail(f"{folder}/{patch['path']}: nothing is called {identity(document)}")
                continue
            result[identity(document)] = merged(result[identity(document)], document)
    for image in kustomization.get("images", []):
        for _, container in containers(result):
            name, _, _ = container["image"].rpartition(":")
            if name == image["name"]:
                container["image"] = f"{image.get('newName', name)}:{image['newTag']}"
    return result


def containers(resources):
    for resource in resources.values():
        if resource["kind"] in ("StatefulSet", "Deployment"):
            for container in resource["spec"]["template"]["spec"]["containers"]:
                yield resource, container


failures = []


def fail(text):
    failures.append(text)


def expect(condition, text):
    if not condition:
        fail(text)


def check_schema(resource, where):
    if resource["apiVersion"] in BROUGHT_BY_OPERATORS:
        return
    for release in RELEASES:
        try:
            kubernetes_validate.validate(resource, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(it) for it in error.path)
            fail(f"{where} {identity(resource)}: Kubernetes {release} refuses {path}: {error.message}")


def check_container(resource, container, where):
    where = f"{where} {resource['metadata']['name']}/{container['name']}"
    pod = resource["spec"]["template"]["spec"]
    tag = container["image"].rpartition(":")[2]
    expect(":" in container["image"] and tag != "latest", f"{where}: the image needs a tag other than latest")
    of_pod, own = pod.get("securityContext", {}), container.get("securityContext", {})
    expect(of_pod.get("runAsNonRoot") is True and of_pod.get("runAsUser", 0) > 0, f"{where}: may run as root")
    expect(of_pod.get("seccompProfile", {}).get("type") == "RuntimeDefault", f"{where}: no seccomp profile")
    expect(own.get("allowPrivilegeEscalation") is False, f"{where}: may gain privileges")
    expect(own.get("readOnlyRootFilesystem") is True, f"{where}: may write to its image")
    expect(own.get("capabilities", {}).get("drop") == ["ALL"], f"{where}: keeps capabilities")
    expect(pod.get("automountServiceAccountToken") is False, f"{where}: is given a token for the cluster's API")
    for kind in ("requests", "limits"):
        given = container.get("resources", {}).get(kind, {})
        expect({"cpu", "memory"} <= given.keys(), f"{where}: {kind} for cpu and memory are missing")
    for probe, path in (("startupProbe", "/readyz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        asked = container.get(probe, {}).get("httpGet", {}).get("path")
        expect(asked == path, f"{where}: {probe} asks {asked}, not {path}")
    for variable in container.get("env", []):
        secret = variable["name"].endswith(("_TOKEN", "_PASSWORD")) or variable["name"] == "DATABASE_URL"
        expect(not secret or "value" not in variable, f"{where}: {variable['name']} stands in the file")


def check_company(resources, where):
    """What belongs to each workload: a budget for disruptions, a network policy, a service that finds it."""
    for kind, name in list(resources):
        if kind not in ("StatefulSet", "Deployment"):
            continue
        labels = resources[kind, name]["spec"]["template"]["metadata"]["labels"]
        for other, path in (("PodDisruptionBudget", ["selector", "matchLabels"]),
                            ("NetworkPolicy", ["podSelector", "matchLabels"]), ("Service", ["selector"])):
            chosen = [it["spec"] for (its_kind, _), it in resources.items() if its_kind == other]
            for key in path:
                chosen = [it.get(key, {}) for it in chosen]
            expect(any(it and it.items() <= labels.items() for it in chosen), f"{where} {name}: no {other} is for it")
    state = resources["StatefulSet", "holdfast-api"]["spec"]
    governing = resources.get(("Service", state["serviceName"]), {"spec": {}})
    expect(governing["spec"].get("clusterIP") == "None", f"{where}: {state['serviceName']} has to be a headless service")


def check_against_compose(resources, where):
    """Ports, variables, folders and the time to stop are those of the Compose stage."""
    [compose] = documents(HERE.parent / "compose.yml")
    for resource, container in containers(resources):
        service = compose["services"][container["name"]]
        here = f"{where} {container['name']}"
        ours = {it["name"]: it.get("value") for it in container["env"]}
        theirs = service["environment"]
        differing = ours.keys() ^ theirs.keys()
        expect(differing <= STAGE_ONLY, f"{here}: {sorted(differing)} is set on one stage only")
        for name in (ours.keys() & theirs.keys()) - STAGE_ONLY:
            default = theirs[name].removeprefix("${").removesuffix("}").partition(":-")[2] or theirs[name]
            expect(ours[name] == default, f"{here}: {name} is {ours[name]!r}, and {default!r} in compose.yml")
        port = int(theirs["HOLDFAST_BIND"].rpartition(":")[2])
        expect(container["ports"][0]["containerPort"] == port, f"{here}: the port is not {port}")
        grace = int(service["stop_grace_period"].removesuffix("s"))
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        given = resource["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        expect(given >= grace + pause, f"{here}: {given} s to stop are fewer than {grace} s and the pause of {pause} s")
        if folder := theirs.get("HOLDFAST_JOURNAL_DIR"):
            mounted = [it["mountPath"] for it in container["volumeMounts"]]
            expect(folder in mounted, f"{here}: no volume for {folder}")


def check_stack():
    """The Swarm stage has the API and the worker of the Compose stage: all but where the others are, and how they are published."""
    [compose], [stack] = (documents(HERE.parent / name) for name in ("compose.yml", "stack.yml"))
    for name in ("api", "worker"):
        ours, theirs = (it["services"][name] for it in (stack, compose))
        differing = {key for key in ours["environment"].keys() | theirs["environment"].keys() if ours["environment"].get(key) != theirs["environment"].get(key)}
        expect(differing <= STAGE_ONLY, f"stack.yml {name}: {sorted(differing - STAGE_ONLY)} is not as in compose.yml")
        for key in ("healthcheck", "stop_grace_period", "read_only", "cap_drop"):
            expect(ours[key] == theirs[key], f"stack.yml {name}: {key} is not as in compose.yml")
        limits = ours["deploy"]["resources"]["limits"]
        bounds = {"memory": theirs["mem_limit"], "pids": theirs["pids_limit"]}
        expect(limits == bounds, f"stack.yml {name}: {limits} is not {bounds}")


def main():
    check_stack()
    count = 0
    for folder in [HERE / "base", *sorted((HERE / "overlays").iterdir())]:
        where = str(folder.relative_to(HERE))
        resources = built(folder)
        count += len(resources)
        for resource in resources.values():
            check_schema(resource, where)
        for resource, container in containers(resources):
            check_container(resource, container, where)
        check_company(resources, where)
        check_against_compose(resources, where)
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{count} resources, Kubernetes {' and '.join(RELEASES)}: {len(failures) or 'no'} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
