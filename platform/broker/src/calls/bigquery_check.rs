//! What a BigQuery subscription may ask for.

use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::big_query_config::State;

use crate::error::Refusal;
use crate::warehouse::TableName;

/// Checks a subscription's `bigquery_config`, if it has one, but for what depends on its table.
///
/// # Errors
/// `INVALID_ARGUMENT` for what the service refuses too, `UNIMPLEMENTED` for what only this broker does not do.
pub(super) fn check(config: &mut pb::Subscription) -> Result<(), Refusal> {
    let Some(bigquery) = &mut config.bigquery_config else { return Ok(()) };
    if config.push_config.as_ref().is_some_and(|push| push != &pb::PushConfig::default()) {
        return Err(Refusal::invalid("only one of push_config and bigquery_config can be set"));
    }
    if bigquery.use_topic_schema && bigquery.use_table_schema {
        return Err(Refusal::invalid(
            "use_topic_schema and use_table_schema of bigquery_config cannot be enabled at the same time",
        ));
    }
    if let Err(bad) = bigquery.table.parse::<TableName>() {
        return Err(Refusal::invalid(format!("Invalid BigQuery table name given ({}): {bad}", bigquery.table)));
    }
    if !bigquery.service_account_email.is_empty() {
        return Err(Refusal::unimplemented("BigQueryConfig.service_account_email"));
    }
    bigquery.state = State::Active.into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn code(change: impl FnOnce(&mut pb::Subscription, &mut pb::BigQueryConfig)) -> Option<Code> {
        let mut bigquery = pb::BigQueryConfig { table: "p.d.t".to_owned(), ..Default::default() };
        let mut config = pb::Subscription::default();
        change(&mut config, &mut bigquery);
        config.bigquery_config = Some(bigquery);
        check(&mut config).err().map(|refusal| refusal.code)
    }

    #[test]
    fn what_does_not_go_together_is_invalid_and_what_is_not_done_is_unimplemented() {
        assert_eq!(code(|_, _| {}), None);
        assert_eq!(code(|s, _| s.push_config = Some(pb::PushConfig::default())), None);
        let push = pb::PushConfig { push_endpoint: "http://localhost/".to_owned(), ..Default::default() };
        assert_eq!(code(|s, _| s.push_config = Some(push)), Some(Code::InvalidArgument));
        assert_eq!(code(|_, b| b.table = "t".to_owned()), Some(Code::InvalidArgument));
        let both = |_: &mut pb::Subscription, b: &mut pb::BigQueryConfig| {
            (b.use_topic_schema, b.use_table_schema) = (true, true);
        };
        assert_eq!(code(both), Some(Code::InvalidArgument));
        assert_eq!(code(|_, b| b.use_topic_schema = true), None);
        assert_eq!(code(|_, b| b.service_account_email = "a@b".to_owned()), Some(Code::Unimplemented));
    }
}
