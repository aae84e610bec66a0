//! Facts about fraud risk, said by the bridge to the fraud engine.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{FieldError, fact};
use crate::id::OrderId;

/// How risky the fraud engine finds an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RiskLevel {
    /// Ship it.
    Low,
    /// Ship it; worth a look in the reports.
    Medium,
    /// Do not ship it without a person's word.
    High,
    /// The engine could not be asked; the bridge goes on asking.
    Unknown,
}

impl RiskLevel {
    /// The wire name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RiskLevel::Low => "LOW",
            RiskLevel::Medium => "MEDIUM",
            RiskLevel::High => "HIGH",
            RiskLevel::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The engine answered at last, and the order may go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FraudCleared {
    /// Which order.
    pub order_id: OrderId,
    /// `LOW` or `MEDIUM`.
    #[schemars(extend("enum" = ["LOW", "MEDIUM"]))]
    pub level: RiskLevel,
}
fact!(FraudCleared, "risk.fraud_cleared.v1", Risk, check: |fact| match fact.level {
    RiskLevel::Low | RiskLevel::Medium => Ok(()),
    RiskLevel::High | RiskLevel::Unknown => Err(FieldError::new("level", "must be LOW or MEDIUM")),
});

/// The engine answered at last, and the order needs a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FraudFlagged {
    /// Which order.
    pub order_id: OrderId,
    /// `HIGH`.
    #[schemars(extend("enum" = ["HIGH"]))]
    pub level: RiskLevel,
    /// Why, each one sentence without personal data.
    #[schemars(extend("x-personal" = "free-text"))]
    pub reasons: Vec<String>,
}
fact!(FraudFlagged, "risk.fraud_flagged.v1", Risk, check: |fact| match fact.level {
    RiskLevel::High => Ok(()),
    _ => Err(FieldError::new("level", "must be HIGH")),
});
