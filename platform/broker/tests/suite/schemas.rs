//! Schemas and their revisions.

use google_cloud_googleapis::pubsub::v1 as pb;
use google_cloud_googleapis::pubsub::v1::schema_service_client::SchemaServiceClient;
use pb::schema::Type;
use pb::validate_message_request::SchemaSpec;
use pb::{Encoding, SchemaView};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::{SUBSCRIPTION, TOPIC, World};

pub(crate) const NAME: &str = "projects/p/schemas/order";
pub(crate) const AVRO: &str = r#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "int"}]}"#;
pub(crate) const AVRO_2: &str = r#"{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "int"},
    {"name": "note", "type": ["null", "string"], "default": null}]}"#;
pub(crate) const PROTO: &str = "syntax = \"proto3\"; message Order { int32 id = 1; }";
pub(crate) const PROTO_2: &str = "syntax = \"proto3\"; message Order { int32 id = 1; string note = 2; }";

/// A broker and a client of its schemas.
pub(crate) struct Schemas {
    pub(crate) world: World,
    pub(crate) client: SchemaServiceClient<Channel>,
}

impl Schemas {
    pub(crate) async fn new() -> Schemas {
        let world = World::new().await;
        let client = connected(&world).await;
        Schemas { world, client }
    }

    pub(crate) async fn crash(&mut self) {
        self.world.crash().await;
        self.client = connected(&self.world).await;
    }

    pub(crate) async fn create(&mut self, id: &str, kind: Type, definition: &str) -> Result<pb::Schema, Status> {
        let request = pb::CreateSchemaRequest {
            parent: "projects/p".to_owned(),
            schema: Some(schema("", kind, definition)),
            schema_id: id.to_owned(),
        };
        Ok(self.client.create_schema(request).await?.into_inner())
    }

    pub(crate) async fn commit(&mut self, kind: Type, definition: &str) -> Result<pb::Schema, Status> {
        let request = pb::CommitSchemaRequest { name: NAME.to_owned(), schema: Some(schema(NAME, kind, definition)) };
        Ok(self.client.commit_schema(request).await?.into_inner())
    }

    pub(crate) async fn get(&mut self, name: &str, view: SchemaView) -> Result<pb::Schema, Status> {
        let request = pb::GetSchemaRequest { name: name.to_owned(), view: view.into() };
        Ok(self.client.get_schema(request).await?.into_inner())
    }

    pub(crate) async fn delete(&mut self) {
        let request = pb::DeleteSchemaRequest { name: NAME.to_owned() };
        self.client.delete_schema(request).await.unwrap();
    }

    pub(crate) async fn delete_revision(&mut self, name: &str) -> Result<pb::Schema, Status> {
        let request = pb::DeleteSchemaRevisionRequest { name: name.to_owned(), ..Default::default() };
        Ok(self.client.delete_schema_revision(request).await?.into_inner())
    }

    pub(crate) async fn revisions(&mut self) -> Vec<pb::Schema> {
        let request = pb::ListSchemaRevisionsRequest {
            name: NAME.to_owned(),
            view: SchemaView::Full.into(),
            ..Default::default()
        };
        self.client.list_schema_revisions(request).await.unwrap().into_inner().schemas
    }

    pub(crate) async fn topic(&mut self, settings: pb::SchemaSettings) -> Result<pb::Topic, Status> {
        let topic = pb::Topic { name: TOPIC.to_owned(), schema_settings: Some(settings), ..Default::default() };
        Ok(self.world.publisher.create_topic(topic).await?.into_inner())
    }

    /// A new topic in place of the old, and its subscription.
    pub(crate) async fn topic_with(&mut self, change: impl FnOnce(&mut pb::SchemaSettings)) {
        // Neither need be there.
        let _ = self.world.publisher.delete_topic(pb::DeleteTopicRequest { topic: TOPIC.to_owned() }).await;
        let request = pb::DeleteSubscriptionRequest { subscription: SUBSCRIPTION.to_owned() };
        let _ = self.world.subscriber.delete_subscription(request).await;
        let mut settings = settings(Encoding::Json);
        change(&mut settings);
        self.topic(settings).await.unwrap();
        self.world.subscription(|_| {}).await;
    }

    pub(crate) async fn shown_settings(&mut self) -> pb::SchemaSettings {
        let request = pb::GetTopicRequest { topic: TOPIC.to_owned() };
        self.world.publisher.get_topic(request).await.unwrap().into_inner().schema_settings.unwrap()
    }

    pub(crate) async fn publish(&mut self, data: &[u8]) -> Result<Vec<String>, Status> {
        self.world.publish(vec![pb::PubsubMessage { data: data.to_vec(), ..Default::default() }]).await
    }

    /// The revisions that the messages to be pulled were checked with.
    pub(crate) async fn stamps(&mut self) -> Vec<String> {
        let received = self.world.pull().await;
        self.world.ack(&received).await;
        let stamp =
            |r: &pb::ReceivedMessage| r.message.as_ref().unwrap().attributes["googclient_schemarevisionid"].clone();
        received.iter().map(stamp).collect()
    }
}

pub(crate) async fn connected(world: &World) -> SchemaServiceClient<Channel> {
    let address = world.broker.as_ref().unwrap().address();
    SchemaServiceClient::new(Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap())
}

pub(crate) fn schema(name: &str, kind: Type, definition: &str) -> pb::Schema {
    pb::Schema { name: name.to_owned(), r#type: kind.into(), definition: definition.to_owned(), ..Default::default() }
}

pub(crate) fn settings(encoding: Encoding) -> pb::SchemaSettings {
    pb::SchemaSettings { schema: NAME.to_owned(), encoding: encoding.into(), ..Default::default() }
}

#[tokio::test]
async fn a_schema_is_created_shown_listed_and_deleted() {
    let mut schemas = Schemas::new().await;
    let created = schemas.create("order", Type::Avro, AVRO).await.unwrap();
    assert_eq!((created.name.as_str(), created.r#type(), created.definition.as_str()), (NAME, Type::Avro, AVRO));
    assert!(created.revision_id.len() == 8 && created.revision_id.bytes().all(|b| b"0123456789abcdef".contains(&b)));
    assert!(created.revision_create_time.is_some_and(|time| time.seconds > 1_700_000_000));
    schemas.create("other", Type::ProtocolBuffer, PROTO).await.unwrap();

    let basic = pb::Schema { definition: String::new(), ..created.clone() };
    for name in [NAME.to_owned(), format!("{NAME}@{}", created.revision_id)] {
        assert_eq!(schemas.get(&name, SchemaView::Full).await.unwrap(), created);
        assert_eq!(schemas.get(&name, SchemaView::Unspecified).await.unwrap(), created);
        assert_eq!(schemas.get(&name, SchemaView::Basic).await.unwrap(), basic);
    }
    let mut request = pb::ListSchemasRequest { parent: "projects/p".to_owned(), page_size: 1, ..Default::default() };
    let first = schemas.client.list_schemas(request.clone()).await.unwrap().into_inner();
    assert_eq!(first.schemas, [basic]);
    request.page_token = first.next_page_token;
    request.view = SchemaView::Full.into();
    let second = schemas.client.list_schemas(request.clone()).await.unwrap().into_inner();
    assert_eq!((second.schemas[0].definition.as_str(), second.next_page_token.as_str()), (PROTO, ""));
    request.parent = "projects/q".to_owned();
    request.page_token.clear();
    assert!(schemas.client.list_schemas(request).await.unwrap().into_inner().schemas.is_empty());

    assert_eq!(schemas.create("order", Type::Avro, AVRO).await.unwrap_err().code(), Code::AlreadyExists);
    schemas.delete().await;
    assert_eq!(schemas.get(NAME, SchemaView::Full).await.unwrap_err().code(), Code::NotFound);
    let again = pb::DeleteSchemaRequest { name: NAME.to_owned() };
    assert_eq!(schemas.client.delete_schema(again).await.unwrap_err().code(), Code::NotFound);
    let anew = schemas.create("order", Type::Avro, AVRO_2).await.unwrap();
    assert_ne!(anew.revision_id, created.revision_id);
}

#[tokio::test]
async fn what_is_no_schema_is_refused() {
    let mut schemas = Schemas::new().await;
    for (id, kind, definition) in [
        ("", Type::Avro, AVRO),
        ("ab", Type::Avro, AVRO),
        ("1abc", Type::Avro, AVRO),
        ("google", Type::Avro, AVRO),
        ("a/b", Type::Avro, AVRO),
        ("order@12345678", Type::Avro, AVRO),
        ("order", Type::Unspecified, AVRO),
        ("order", Type::Avro, ""),
        ("order", Type::Avro, PROTO),
        ("order", Type::ProtocolBuffer, AVRO),
        ("order", Type::Avro, &format!("{AVRO}{}", " ".repeat(300 << 10))),
    ] {
        let refusal = schemas.create(id, kind, definition).await.expect_err(id);
        assert_eq!(refusal.code(), Code::InvalidArgument, "{id}: {refusal}");
    }
    for (kind, definition, good) in
        [(Type::Avro, AVRO, true), (Type::ProtocolBuffer, PROTO, true), (Type::Avro, PROTO, false)]
    {
        let request =
            pb::ValidateSchemaRequest { parent: "projects/p".to_owned(), schema: Some(schema("", kind, definition)) };
        assert_eq!(schemas.client.validate_schema(request).await.is_ok(), good);
    }
    for name in [NAME, &format!("{NAME}@12345678")] {
        assert_eq!(schemas.get(name, SchemaView::Full).await.unwrap_err().code(), Code::NotFound);
    }
    assert_eq!(schemas.get("order", SchemaView::Full).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(schemas.commit(Type::Avro, AVRO).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn revisions_are_added_when_they_fit_copied_back_and_deleted_down_to_one() {
    let mut schemas = Schemas::new().await;
    let first = schemas.create("order", Type::Avro, AVRO).await.unwrap();
    let second = schemas.commit(Type::Avro, AVRO_2).await.unwrap();
    assert_eq!((second.definition.as_str(), second.name.as_str()), (AVRO_2, NAME));
    assert_eq!(schemas.get(NAME, SchemaView::Full).await.unwrap(), second);

    let refusal = schemas.commit(Type::Avro, &AVRO_2.replace("int", "string")).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert!(refusal.message().contains(&format!("previous revision: {}", second.revision_id)), "{refusal}");
    assert_eq!(schemas.commit(Type::ProtocolBuffer, PROTO).await.unwrap_err().code(), Code::InvalidArgument);
    // What fits the newest must fit the older ones, too.
    let reused = AVRO_2.replace("note", "id_2").replace("[\"null\", \"string\"]", "\"int\"").replace("null}", "0}");
    schemas.commit(Type::Avro, &reused).await.unwrap();
    let clash = AVRO_2.replace("[\"null\", \"string\"]", "\"int\"").replace("null}", "0}");
    let refusal = schemas.commit(Type::Avro, &clash).await.unwrap_err();
    assert!(refusal.message().contains(&second.revision_id), "{refusal}");

    let back = pb::RollbackSchemaRequest { name: NAME.to_owned(), revision_id: first.revision_id.clone() };
    let copy = schemas.client.rollback_schema(back).await.unwrap().into_inner();
    assert_eq!(copy.definition, AVRO);
    assert_ne!(copy.revision_id, first.revision_id);
    let listed = schemas.revisions().await;
    assert_eq!((listed.len(), &listed[0], &listed[1], &listed[3]), (4, &first, &second, &copy));

    let missing = pb::RollbackSchemaRequest { name: NAME.to_owned(), revision_id: "12345678".to_owned() };
    assert_eq!(schemas.client.rollback_schema(missing).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(schemas.delete_revision(NAME).await.unwrap_err().code(), Code::InvalidArgument);
    for revision in &listed[1..] {
        let name = format!("{NAME}@{}", revision.revision_id);
        assert_eq!(schemas.delete_revision(&name).await.unwrap(), *revision);
        assert_eq!(schemas.delete_revision(&name).await.unwrap_err().code(), Code::NotFound);
    }
    let last = schemas.delete_revision(&format!("{NAME}@{}", first.revision_id)).await.unwrap_err();
    assert_eq!(
        (last.code(), last.message()),
        (Code::InvalidArgument, "Cannot delete last revision. Please use DeleteSchema.")
    );
    assert_eq!(schemas.revisions().await, [first]);
}

#[tokio::test]
async fn a_schema_has_twenty_revisions_and_no_more() {
    let mut schemas = Schemas::new().await;
    schemas.create("order", Type::ProtocolBuffer, PROTO).await.unwrap();
    for _ in 1..20 {
        schemas.commit(Type::ProtocolBuffer, PROTO_2).await.unwrap();
    }
    assert_eq!(schemas.commit(Type::ProtocolBuffer, PROTO).await.unwrap_err().code(), Code::FailedPrecondition);
    let listed = schemas.revisions().await;
    let mut request = pb::ListSchemaRevisionsRequest { name: NAME.to_owned(), page_size: 12, ..Default::default() };
    let mut paged = Vec::new();
    loop {
        let page = schemas.client.list_schema_revisions(request.clone()).await.unwrap().into_inner();
        paged.extend(page.schemas.into_iter().map(|s| s.revision_id));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, listed.iter().map(|s| s.revision_id.clone()).collect::<Vec<_>>());
    schemas.delete_revision(&format!("{NAME}@{}", paged[3])).await.unwrap();
    schemas.commit(Type::ProtocolBuffer, PROTO).await.unwrap();
}

#[tokio::test]
async fn a_message_is_validated_with_a_schema_by_name_or_at_hand() {
    let mut schemas = Schemas::new().await;
    let first = schemas.create("order", Type::Avro, AVRO).await.unwrap();
    schemas.commit(Type::Avro, AVRO_2).await.unwrap();
    let old = format!("{NAME}@{}", first.revision_id);
    let at_hand = |kind, text| SchemaSpec::Schema(schema("", kind, text));
    for (spec, encoding, data, code) in [
        (Some(SchemaSpec::Name(NAME.to_owned())), Encoding::Json, &br#"{"id": 1, "note": null}"#[..], Code::Ok),
        (Some(SchemaSpec::Name(NAME.to_owned())), Encoding::Json, br#"{"id": 1}"#, Code::InvalidArgument),
        (Some(SchemaSpec::Name(old)), Encoding::Json, br#"{"id": 1}"#, Code::Ok),
        (Some(at_hand(Type::Avro, AVRO)), Encoding::Binary, b"\x02", Code::Ok),
        (Some(at_hand(Type::Avro, AVRO)), Encoding::Binary, b"\x02\x02", Code::InvalidArgument),
        (Some(at_hand(Type::ProtocolBuffer, PROTO)), Encoding::Binary, b"\x08\x01", Code::Ok),
        (Some(at_hand(Type::ProtocolBuffer, PROTO)), Encoding::Json, br#"{"id": "x"}"#, Code::InvalidArgument),
        (Some(at_hand(Type::ProtocolBuffer, "x")), Encoding::Json, b"{}", Code::InvalidArgument),
        (Some(at_hand(Type::Avro, AVRO)), Encoding::Unspecified, b"\x02", Code::InvalidArgument),
        (Some(SchemaSpec::Name("projects/p/schemas/none".to_owned())), Encoding::Json, b"{}", Code::NotFound),
        (None, Encoding::Json, b"{}", Code::InvalidArgument),
    ] {
        let request = pb::ValidateMessageRequest {
            parent: "projects/p".to_owned(),
            message: data.to_vec(),
            encoding: encoding.into(),
            schema_spec: spec.clone(),
        };
        let answer = schemas.client.validate_message(request).await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(answer, code, "{spec:?} {encoding:?} {data:?}");
    }
}
