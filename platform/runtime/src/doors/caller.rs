//! Who calls: every service account that has business at some door.

use std::fmt;

/// A caller by the name of its account: `oms` is `oms@<domain>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Caller {
    /// The door for clients.
    Gateway,
    /// Where orders are placed.
    Checkout,
    /// Leads orders through their life.
    Oms,
    /// Invoices and the ledger.
    Accounting,
    /// Shipments.
    Warehouse,
    /// The food catalogue.
    Food,
    /// Asks the fraud engine again.
    FraudBridge,
    /// Dead letters and their replay.
    Ops,
    /// What calls `POST /tick` once a minute: a clock of the cloud.
    Scheduler,
    /// What watches over the services: Prometheus, or who collects for it.
    Monitoring,
    /// A person at the command line, or what acts for one: the carrier's and the review desk's tools.
    Operator,
}

impl Caller {
    /// Every caller.
    pub const ALL: [Caller; 11] = [
        Caller::Gateway,
        Caller::Checkout,
        Caller::Oms,
        Caller::Accounting,
        Caller::Warehouse,
        Caller::Food,
        Caller::FraudBridge,
        Caller::Ops,
        Caller::Scheduler,
        Caller::Monitoring,
        Caller::Operator,
    ];

    /// The name of its account.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Caller::Gateway => "gateway",
            Caller::Checkout => "checkout",
            Caller::Oms => "oms",
            Caller::Accounting => "accounting",
            Caller::Warehouse => "warehouse",
            Caller::Food => "food",
            Caller::FraudBridge => "fraud-bridge",
            Caller::Ops => "ops",
            Caller::Scheduler => "scheduler",
            Caller::Monitoring => "monitoring",
            Caller::Operator => "operator",
        }
    }

    /// The caller of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|caller| caller.name() == name)
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_caller_is_found_by_its_name() {
        for caller in Caller::ALL {
            assert_eq!(Caller::named(caller.name()), Some(caller));
        }
        assert_eq!(Caller::named("crm"), None);
    }
}
