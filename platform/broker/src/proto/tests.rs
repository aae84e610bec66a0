//! The texts against the generated messages, field by field.

use std::collections::{BTreeSet, HashMap};

use google_cloud_googleapis::iam::v1 as iam;
use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::r#type::Expr;
use prost::{DecodeError, Message};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use super::pool;

/// No oneof has more members.
const CHOICES: usize = 6;
/// No field or enum value has a higher number.
const NUMBERS: u32 = 40;

type Again = fn(&[u8]) -> Result<Vec<u8>, DecodeError>;
type Named = fn(i32) -> Option<&'static str>;

macro_rules! messages {
    ($($name:literal => $message:ty,)*) => {
        [$(($name, (|bytes| Ok(<$message>::decode(bytes)?.encode_to_vec())) as Again)),*]
    };
}

macro_rules! enums {
    ($($name:literal => $enumeration:ty,)*) => {
        [$(($name, (|number| <$enumeration>::try_from(number).ok().map(|value| value.as_str_name())) as Named)),*]
    };
}

/// Whether a declaration is of the API and not of what it imports.
fn is_ours(name: &str) -> bool {
    !name.starts_with("google.protobuf.")
}

#[test]
fn every_field_is_what_the_generated_message_says_and_none_is_missing() {
    let known: HashMap<&str, Again> = HashMap::from(MESSAGES);
    let ours = pool().all_messages().filter(|m| is_ours(m.full_name()) && !m.is_map_entry());
    let mut seen = BTreeSet::new();
    for message in ours {
        let name = message.full_name();
        seen.insert(name.to_owned());
        let again = known.get(name).unwrap_or_else(|| panic!("{name} is not generated"));
        for choice in 0..CHOICES {
            let filled = filled(&message, choice);
            let bytes = again(&filled.encode_to_vec()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(DynamicMessage::decode(message.clone(), bytes.as_slice()).unwrap(), filled, "{name}");
        }
        for number in (1..NUMBERS).filter(|number| message.get_field(*number).is_none()) {
            let mut unknown = Vec::new();
            prost::encoding::uint32::encode(number, &1, &mut unknown);
            assert_eq!(again(&unknown), Ok(Vec::new()), "{name} has a field {number}");
        }
    }
    assert_eq!(seen, known.into_keys().map(str::to_owned).collect());
}

#[test]
fn every_enum_value_is_what_the_generated_enum_says_and_none_is_missing() {
    let known: HashMap<&str, Named> = HashMap::from(ENUMS);
    let mut seen = BTreeSet::new();
    for declared in pool().all_enums().filter(|e| is_ours(e.full_name())) {
        let name = declared.full_name();
        seen.insert(name.to_owned());
        let named = known.get(name).unwrap_or_else(|| panic!("{name} is not generated"));
        for number in 0..i32::try_from(NUMBERS).unwrap() {
            let declared = declared.get_value(number);
            assert_eq!(declared.as_ref().map(|value| value.name()), named(number), "{name} {number}");
        }
    }
    assert_eq!(seen, known.into_keys().map(str::to_owned).collect());
}

/// A message with every field set; of each oneof, the member `choice` falls on.
fn filled(message: &MessageDescriptor, choice: usize) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        if let Some(oneof) = field.containing_oneof() {
            let members: Vec<FieldDescriptor> = oneof.fields().collect();
            if members[choice % members.len()] != field {
                continue;
            }
        }
        let value = if let Some(entry) = field.kind().as_message().filter(|_| field.is_map()) {
            let value = value(&entry.map_entry_value_field().kind(), choice);
            Value::Map(HashMap::from([(MapKey::String("key".to_owned()), value)]))
        } else if field.is_list() {
            Value::List(vec![value(&field.kind(), choice)])
        } else {
            value(&field.kind(), choice)
        };
        filled.set_field(&field, value);
    }
    filled
}

fn value(kind: &Kind, choice: usize) -> Value {
    match kind {
        Kind::String => Value::String("text".to_owned()),
        Kind::Bytes => Value::Bytes("bytes".into()),
        Kind::Bool => Value::Bool(true),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        Kind::Enum(values) => Value::EnumNumber(values.values().last().unwrap().number()),
        Kind::Message(message) => Value::Message(filled(message, choice)),
        other => panic!("the API has no field of {other:?}"),
    }
}

#[rustfmt::skip]
const MESSAGES: [(&str, Again); 101] = messages! {
    "google.pubsub.v1.Schema" => pb::Schema,
    "google.pubsub.v1.CreateSchemaRequest" => pb::CreateSchemaRequest,
    "google.pubsub.v1.GetSchemaRequest" => pb::GetSchemaRequest,
    "google.pubsub.v1.ListSchemasRequest" => pb::ListSchemasRequest,
    "google.pubsub.v1.ListSchemasResponse" => pb::ListSchemasResponse,
    "google.pubsub.v1.ListSchemaRevisionsRequest" => pb::ListSchemaRevisionsRequest,
    "google.pubsub.v1.ListSchemaRevisionsResponse" => pb::ListSchemaRevisionsResponse,
    "google.pubsub.v1.CommitSchemaRequest" => pb::CommitSchemaRequest,
    "google.pubsub.v1.RollbackSchemaRequest" => pb::RollbackSchemaRequest,
    "google.pubsub.v1.DeleteSchemaRevisionRequest" => pb::DeleteSchemaRevisionRequest,
    "google.pubsub.v1.DeleteSchemaRequest" => pb::DeleteSchemaRequest,
    "google.pubsub.v1.ValidateSchemaRequest" => pb::ValidateSchemaRequest,
    "google.pubsub.v1.ValidateSchemaResponse" => pb::ValidateSchemaResponse,
    "google.pubsub.v1.ValidateMessageRequest" => pb::ValidateMessageRequest,
    "google.pubsub.v1.ValidateMessageResponse" => pb::ValidateMessageResponse,
    "google.pubsub.v1.MessageStoragePolicy" => pb::MessageStoragePolicy,
    "google.pubsub.v1.SchemaSettings" => pb::SchemaSettings,
    "google.pubsub.v1.IngestionDataSourceSettings" => pb::IngestionDataSourceSettings,
    "google.pubsub.v1.IngestionDataSourceSettings.AwsKinesis" => pb::ingestion_data_source_settings::AwsKinesis,
    "google.pubsub.v1.IngestionDataSourceSettings.CloudStorage" => pb::ingestion_data_source_settings::CloudStorage,
    "google.pubsub.v1.IngestionDataSourceSettings.CloudStorage.TextFormat" => pb::ingestion_data_source_settings::cloud_storage::TextFormat,
    "google.pubsub.v1.IngestionDataSourceSettings.CloudStorage.AvroFormat" => pb::ingestion_data_source_settings::cloud_storage::AvroFormat,
    "google.pubsub.v1.IngestionDataSourceSettings.CloudStorage.PubSubAvroFormat" => pb::ingestion_data_source_settings::cloud_storage::PubSubAvroFormat,
    "google.pubsub.v1.IngestionDataSourceSettings.AzureEventHubs" => pb::ingestion_data_source_settings::AzureEventHubs,
    "google.pubsub.v1.IngestionDataSourceSettings.AwsMsk" => pb::ingestion_data_source_settings::AwsMsk,
    "google.pubsub.v1.IngestionDataSourceSettings.ConfluentCloud" => pb::ingestion_data_source_settings::ConfluentCloud,
    "google.pubsub.v1.PlatformLogsSettings" => pb::PlatformLogsSettings,
    "google.pubsub.v1.IngestionFailureEvent" => pb::IngestionFailureEvent,
    "google.pubsub.v1.IngestionFailureEvent.ApiViolationReason" => pb::ingestion_failure_event::ApiViolationReason,
    "google.pubsub.v1.IngestionFailureEvent.AvroFailureReason" => pb::ingestion_failure_event::AvroFailureReason,
    "google.pubsub.v1.IngestionFailureEvent.SchemaViolationReason" => pb::ingestion_failure_event::SchemaViolationReason,
    "google.pubsub.v1.IngestionFailureEvent.CloudStorageFailure" => pb::ingestion_failure_event::CloudStorageFailure,
    "google.pubsub.v1.IngestionFailureEvent.AwsMskFailureReason" => pb::ingestion_failure_event::AwsMskFailureReason,
    "google.pubsub.v1.IngestionFailureEvent.AzureEventHubsFailureReason" => pb::ingestion_failure_event::AzureEventHubsFailureReason,
    "google.pubsub.v1.IngestionFailureEvent.ConfluentCloudFailureReason" => pb::ingestion_failure_event::ConfluentCloudFailureReason,
    "google.pubsub.v1.IngestionFailureEvent.AwsKinesisFailureReason" => pb::ingestion_failure_event::AwsKinesisFailureReason,
    "google.pubsub.v1.JavaScriptUDF" => pb::JavaScriptUdf,
    "google.pubsub.v1.MessageTransform" => pb::MessageTransform,
    "google.pubsub.v1.Topic" => pb::Topic,
    "google.pubsub.v1.PubsubMessage" => pb::PubsubMessage,
    "google.pubsub.v1.GetTopicRequest" => pb::GetTopicRequest,
    "google.pubsub.v1.UpdateTopicRequest" => pb::UpdateTopicRequest,
    "google.pubsub.v1.PublishRequest" => pb::PublishRequest,
    "google.pubsub.v1.PublishResponse" => pb::PublishResponse,
    "google.pubsub.v1.ListTopicsRequest" => pb::ListTopicsRequest,
    "google.pubsub.v1.ListTopicsResponse" => pb::ListTopicsResponse,
    "google.pubsub.v1.ListTopicSubscriptionsRequest" => pb::ListTopicSubscriptionsRequest,
    "google.pubsub.v1.ListTopicSubscriptionsResponse" => pb::ListTopicSubscriptionsResponse,
    "google.pubsub.v1.ListTopicSnapshotsRequest" => pb::ListTopicSnapshotsRequest,
    "google.pubsub.v1.ListTopicSnapshotsResponse" => pb::ListTopicSnapshotsResponse,
    "google.pubsub.v1.DeleteTopicRequest" => pb::DeleteTopicRequest,
    "google.pubsub.v1.DetachSubscriptionRequest" => pb::DetachSubscriptionRequest,
    "google.pubsub.v1.DetachSubscriptionResponse" => pb::DetachSubscriptionResponse,
    "google.pubsub.v1.Subscription" => pb::Subscription,
    "google.pubsub.v1.Subscription.AnalyticsHubSubscriptionInfo" => pb::subscription::AnalyticsHubSubscriptionInfo,
    "google.pubsub.v1.RetryPolicy" => pb::RetryPolicy,
    "google.pubsub.v1.DeadLetterPolicy" => pb::DeadLetterPolicy,
    "google.pubsub.v1.ExpirationPolicy" => pb::ExpirationPolicy,
    "google.pubsub.v1.PushConfig" => pb::PushConfig,
    "google.pubsub.v1.PushConfig.OidcToken" => pb::push_config::OidcToken,
    "google.pubsub.v1.PushConfig.PubsubWrapper" => pb::push_config::PubsubWrapper,
    "google.pubsub.v1.PushConfig.NoWrapper" => pb::push_config::NoWrapper,
    "google.pubsub.v1.BigQueryConfig" => pb::BigQueryConfig,
    "google.pubsub.v1.CloudStorageConfig" => pb::CloudStorageConfig,
    "google.pubsub.v1.CloudStorageConfig.TextConfig" => pb::cloud_storage_config::TextConfig,
    "google.pubsub.v1.CloudStorageConfig.AvroConfig" => pb::cloud_storage_config::AvroConfig,
    "google.pubsub.v1.ReceivedMessage" => pb::ReceivedMessage,
    "google.pubsub.v1.GetSubscriptionRequest" => pb::GetSubscriptionRequest,
    "google.pubsub.v1.UpdateSubscriptionRequest" => pb::UpdateSubscriptionRequest,
    "google.pubsub.v1.ListSubscriptionsRequest" => pb::ListSubscriptionsRequest,
    "google.pubsub.v1.ListSubscriptionsResponse" => pb::ListSubscriptionsResponse,
    "google.pubsub.v1.DeleteSubscriptionRequest" => pb::DeleteSubscriptionRequest,
    "google.pubsub.v1.ModifyPushConfigRequest" => pb::ModifyPushConfigRequest,
    "google.pubsub.v1.PullRequest" => pb::PullRequest,
    "google.pubsub.v1.PullResponse" => pb::PullResponse,
    "google.pubsub.v1.ModifyAckDeadlineRequest" => pb::ModifyAckDeadlineRequest,
    "google.pubsub.v1.AcknowledgeRequest" => pb::AcknowledgeRequest,
    "google.pubsub.v1.StreamingPullRequest" => pb::StreamingPullRequest,
    "google.pubsub.v1.StreamingPullResponse" => pb::StreamingPullResponse,
    "google.pubsub.v1.StreamingPullResponse.AcknowledgeConfirmation" => pb::streaming_pull_response::AcknowledgeConfirmation,
    "google.pubsub.v1.StreamingPullResponse.ModifyAckDeadlineConfirmation" => pb::streaming_pull_response::ModifyAckDeadlineConfirmation,
    "google.pubsub.v1.StreamingPullResponse.SubscriptionProperties" => pb::streaming_pull_response::SubscriptionProperties,
    "google.pubsub.v1.CreateSnapshotRequest" => pb::CreateSnapshotRequest,
    "google.pubsub.v1.UpdateSnapshotRequest" => pb::UpdateSnapshotRequest,
    "google.pubsub.v1.Snapshot" => pb::Snapshot,
    "google.pubsub.v1.GetSnapshotRequest" => pb::GetSnapshotRequest,
    "google.pubsub.v1.ListSnapshotsRequest" => pb::ListSnapshotsRequest,
    "google.pubsub.v1.ListSnapshotsResponse" => pb::ListSnapshotsResponse,
    "google.pubsub.v1.DeleteSnapshotRequest" => pb::DeleteSnapshotRequest,
    "google.pubsub.v1.SeekRequest" => pb::SeekRequest,
    "google.pubsub.v1.SeekResponse" => pb::SeekResponse,
    "google.iam.v1.GetPolicyOptions" => iam::GetPolicyOptions,
    "google.iam.v1.Policy" => iam::Policy,
    "google.iam.v1.Binding" => iam::Binding,
    "google.iam.v1.AuditConfig" => iam::AuditConfig,
    "google.iam.v1.AuditLogConfig" => iam::AuditLogConfig,
    "google.iam.v1.SetIamPolicyRequest" => iam::SetIamPolicyRequest,
    "google.iam.v1.GetIamPolicyRequest" => iam::GetIamPolicyRequest,
    "google.iam.v1.TestIamPermissionsRequest" => iam::TestIamPermissionsRequest,
    "google.iam.v1.TestIamPermissionsResponse" => iam::TestIamPermissionsResponse,
    "google.type.Expr" => Expr,
};

#[rustfmt::skip]
const ENUMS: [(&str, Named); 14] = enums! {
    "google.pubsub.v1.Schema.Type" => pb::schema::Type,
    "google.pubsub.v1.SchemaView" => pb::SchemaView,
    "google.pubsub.v1.Encoding" => pb::Encoding,
    "google.pubsub.v1.IngestionDataSourceSettings.AwsKinesis.State" => pb::ingestion_data_source_settings::aws_kinesis::State,
    "google.pubsub.v1.IngestionDataSourceSettings.CloudStorage.State" => pb::ingestion_data_source_settings::cloud_storage::State,
    "google.pubsub.v1.IngestionDataSourceSettings.AzureEventHubs.State" => pb::ingestion_data_source_settings::azure_event_hubs::State,
    "google.pubsub.v1.IngestionDataSourceSettings.AwsMsk.State" => pb::ingestion_data_source_settings::aws_msk::State,
    "google.pubsub.v1.IngestionDataSourceSettings.ConfluentCloud.State" => pb::ingestion_data_source_settings::confluent_cloud::State,
    "google.pubsub.v1.PlatformLogsSettings.Severity" => pb::platform_logs_settings::Severity,
    "google.pubsub.v1.Topic.State" => pb::topic::State,
    "google.pubsub.v1.Subscription.State" => pb::subscription::State,
    "google.pubsub.v1.BigQueryConfig.State" => pb::big_query_config::State,
    "google.pubsub.v1.CloudStorageConfig.State" => pb::cloud_storage_config::State,
    "google.iam.v1.AuditLogConfig.LogType" => iam::audit_log_config::LogType,
};
