//! The sums of the ledger over REST, for audits.

use ::store::StoreError;
use axum::Json;
use axum::extract::State;
use events::Money;
use runtime::Problem;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::House;
use crate::ledger::{self, Balance};

#[derive(Serialize, JsonSchema)]
pub(super) struct TrialBalance {
    accounts: Vec<AccountView>,
    debit: Money,
    credit: Money,
}

#[derive(Serialize, JsonSchema)]
struct AccountView {
    account: String,
    debit: Money,
    credit: Money,
}

/// Sums the whole ledger, on a thread of its own.
pub(super) async fn trial_balance(State(door): State<House>) -> Result<Json<TrialBalance>, Problem> {
    let store = door.transactor.store().clone();
    let handle = Handle::current();
    let summed = spawn_blocking(move || handle.block_on(store.read(ledger::balances))).await;
    let balances: Result<Vec<Balance>, StoreError> = summed.map_err(|error| Problem::internal(&error.to_string()))?;
    let balances = balances?;
    let sum = |side: fn(&Balance) -> i64| Money::from_minor(balances.iter().map(side).sum());
    let (debit, credit) = (sum(|balance| balance.debit_minor), sum(|balance| balance.credit_minor));
    let accounts = balances
        .into_iter()
        .map(|Balance { account, debit_minor, credit_minor }| AccountView {
            account,
            debit: Money::from_minor(debit_minor),
            credit: Money::from_minor(credit_minor),
        })
        .collect();
    Ok(Json(TrialBalance { accounts, debit, credit }))
}
