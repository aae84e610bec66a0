//! The CRM with a master key.
#![allow(dead_code, reason = "not every test file needs all of it")]

use crm::{Config, MIGRATIONS, MasterKey, consumer, doors, preparation};
use testkit::{Scenario, get};

/// Bytes that count up, for nobody's data.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub fn config() -> Config {
    Config::new(MasterKey::parse(KEY).unwrap())
}

/// The CRM with its two sample customers.
pub fn scenario() -> Scenario {
    Scenario::prepared(consumer(&config()), MIGRATIONS, &preparation(config()))
}

/// What a customer is called everywhere else.
pub async fn sealed_id(crm: &Scenario, id: &str) -> String {
    let shown = get(&doors(crm.transactor(), config()).open_house(), &format!("/customers/{id}")).await;
    shown.body["sealedId"].as_str().expect("a sealed id").to_owned()
}
