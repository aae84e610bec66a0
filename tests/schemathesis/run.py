"""Runs schemathesis against each service of a running shop, one after the other, and prints a table. Exit code 1 for any finding."""

import argparse
import concurrent.futures
import functools
import json
import os
import pathlib
import subprocess
import sys
import time

import things

HERE = pathlib.Path(__file__).parent
# Speaks Pub/Sub's API, not ours.
NOT_OURS = {"broker"}
# Whoever may do everything at the gateway.
GATEWAY_SCOPES = ["catalog:read", "orders:read", "orders:write", "orders:any", "metrics:read"]
# Services at once: as many as the smallest machine has cores. Each is a process of its own, so they share nothing but the shop.
SIDE_BY_SIDE = 2
# Where requests may name things that are there, and how often they do: for the rest they name what is not.
BINDINGS = {
    "path.orderId": "orders",
    "query.orderId": "orders",
    "path.shipmentId": "shipments",
    "path.returnId": "returns",
    "path.letterId": "letters",
    "path.editId": "edits",
    "path.plan": "plans",
    "body.plan": "plans",
    "path.replayId": "replays",
    "path.customerId": "customers",
    "body.customerId": "customers",
    "path.productId": "products",
    "body.lines[*].productId": "products",
}
HOW_OFTEN = 0.5
SCHEMATHESIS = pathlib.Path(sys.executable).parent / "schemathesis"


def token(options, service):
    """A token for everything at one service."""
    command = [options.boutique, "token", "--data", options.data, "--as", "operator", "--for", service, "--ttl", "3600"]
    if service == "gateway":
        command += [part for scope in GATEWAY_SCOPES for part in ("--scope", scope)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def configured(options, things):
    """The settings, with the things there are."""
    settings = (HERE / "schemathesis.toml").read_text() + "\n[dictionaries]\n"
    settings += "".join(f"{kind} = {{ values = {json.dumps(values)} }}\n" for kind, values in things.items())
    settings += "\n[parameters]\n"
    for parameter, kind in BINDINGS.items():
        settings += f'"{parameter}" = {{ dictionary = "{kind}", probability = {HOW_OFTEN} }}\n'
    path = pathlib.Path(options.logs) / "schemathesis.toml"
    path.write_text(settings)
    return path


def run(options, config, service, url):
    """One service: how many operations and requests, what was found, and how long it took."""
    report = pathlib.Path(options.logs) / f"{service}.json"
    command = [SCHEMATHESIS, "--config-file", config, "run", f"{url}/openapi.json", "--url", url]
    command += ["--report-json-path", report]
    began = time.monotonic()
    # In the environment: the command line of a process can be read by everybody.
    environment = {**os.environ, "TOKEN": token(options, service), "HYPOTHESIS_STORAGE_DIRECTORY": options.logs}
    with open(pathlib.Path(options.logs) / f"{service}.log", "w") as log:
        code = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT).returncode
    return code, report, time.monotonic() - began


def counted(report):
    """Operations asked, requests made, and what was found: failures and errors of the run itself."""
    if not report.exists():
        return 0, 0, "no report"
    told = json.loads(report.read_text())
    operations = told["operations"] or {"tested": 0}
    findings = told["test_cases"]["unique_failures"] + sum(error["count"] for error in told["errors"])
    return operations["tested"], told["test_cases"]["generated"], findings


def main():
    """Reads the options and runs all that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boutique", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("services", nargs="*")
    options = parser.parse_args()
    addresses = json.loads((pathlib.Path(options.data) / "addresses.json").read_text())
    unknown = set(options.services) - set(addresses)
    if unknown:
        sys.exit(f"the shop has no {', '.join(sorted(unknown))}")
    services = options.services or sorted(set(addresses) - NOT_OURS)
    failed = []
    print(f"{'service':<14} {'operations':>10} {'requests':>9} {'seconds':>8}  findings", flush=True)
    config = configured(options, things.made(addresses, functools.cache(lambda service: token(options, service))))
    one = lambda service: run(options, config, service, addresses[service])
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        runs = list(zip(services, pool.map(one, services)))
    for service, (code, report, seconds) in runs:
        operations, requests, findings = counted(report)
        if code != 0 or findings != 0:
            failed.append(service)
        # A run that ends well and has asked nothing has shown nothing.
        if requests == 0 or operations == 0:
            failed.append(service)
        print(f"{service:<14} {operations:>10} {requests:>9} {seconds:>8.1f}  {findings}", flush=True)
    for service in dict.fromkeys(failed):
        print(f"\n== {service}\n{(pathlib.Path(options.logs) / f'{service}.log').read_text()}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
