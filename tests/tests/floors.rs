//! A `use` only points down. The floors are those of ARCHITECTURE.md.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The floor of each crate, by the folder it is in.
fn floor(folder: &str) -> Option<u32> {
    let floors = [
        ("events", 0),
        ("platform/delivery", 0),
        ("platform/tls", 0),
        ("platform/bus", 1),
        ("platform/store", 1),
        ("platform/broker", 1),
        ("platform/identity", 1),
        ("platform/runtime", 2),
        ("platform/bigquery", 2),
        ("platform/stock", 3),
        ("platform/audit", 3),
        ("platform/testkit", 3),
        ("producers/", 4),
        ("consumers/", 4),
        ("edges/", 4),
        ("tests/force", 4),
        ("tests/sim", 5),
        ("cli", 6),
        ("tests", 6),
    ];
    floors.iter().find(|(prefix, _)| folder.starts_with(prefix)).map(|(_, floor)| *floor)
}

/// Name of each of our crates → its folder and what of ours it uses, with the kind of the dependency.
fn crates() -> BTreeMap<String, (String, Vec<(String, DependencyKind)>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let metadata = MetadataCommand::new().current_dir(root).no_deps().exec().expect("cargo metadata");
    let names: Vec<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let root = metadata.workspace_root.as_str();
    metadata
        .packages
        .iter()
        .map(|package| {
            let folder = package.manifest_path.parent().expect("a manifest is in a folder").as_str();
            let folder = folder.trim_start_matches(root).trim_start_matches('/').to_owned();
            let ours = package.dependencies.iter().filter(|dependency| names.contains(&dependency.name));
            let uses = ours.map(|dependency| (dependency.name.clone(), dependency.kind)).collect();
            (package.name.to_string(), (folder, uses))
        })
        .collect()
}

/// What tests may use wherever it stands: the testkit, and the broker by the conformance suite of the bus, which holds every engine to
/// the same promises.
fn is_for_proof(name: &str, used: &str) -> bool {
    used == "testkit" || (name, used) == ("bus", "broker")
}

#[test]
fn every_crate_has_a_floor_and_uses_only_floors_below() {
    let crates = crates();
    let mut checked = 0;
    for (name, (folder, uses)) in &crates {
        let own = floor(folder).unwrap_or_else(|| panic!("{folder} has no floor: add it to ARCHITECTURE.md and here"));
        for (used, kind) in uses {
            if *kind == DependencyKind::Development && is_for_proof(name, used) {
                continue;
            }
            let below = floor(&crates[used].0).expect("every crate has a floor");
            assert!(below < own, "{name} (floor {own}) uses {used} (floor {below})");
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} dependencies were found");
}

#[test]
fn bus_and_store_do_not_know_each_other_and_only_runtime_joins_them() {
    let crates = crates();
    let uses = |name: &str, used: &str| crates[name].1.iter().any(|(other, _)| other == used);
    assert!(!uses("bus", "store") && !uses("store", "bus") && !uses("store", "events"));
    assert!(uses("runtime", "bus") && uses("runtime", "store"));
}

#[test]
fn the_broker_knows_nothing_of_the_shop_and_only_its_warehouse_entry_and_proof_know_it() {
    let crates = crates();
    let product =
        |(used, kind): &(String, DependencyKind)| (*kind != DependencyKind::Development).then(|| used.clone());
    let known: Vec<String> = crates["broker"].1.iter().filter_map(product).collect();
    assert_eq!(known, ["delivery", "tls"]);
    assert!(crates["delivery"].1.is_empty() && crates["tls"].1.is_empty());
    let users: Vec<&String> = crates
        .iter()
        .filter(|(name, (_, uses))| {
            uses.iter().any(|(used, kind)| {
                let proof = *kind == DependencyKind::Development && is_for_proof(name, used);
                used == "broker" && !proof
            })
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(users, ["bigquery", "boutique", "boutique-tests"]);
    let known: Vec<&String> = crates["bigquery"].1.iter().map(|(used, _)| used).collect();
    assert_eq!(known, ["broker"]);
}

#[test]
fn events_does_no_input_or_output() {
    let manifest = include_str!("../../events/Cargo.toml");
    let normal = manifest.split("[dev-dependencies]").next().expect("a part before");
    for banned in ["tokio", "rusqlite", "postgres", "hyper", "axum", "rand"] {
        assert!(!normal.lines().any(|line| line.starts_with(banned)), "events depends on {banned}");
    }
}
