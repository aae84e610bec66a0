//! Topics that hold their messages to a schema.

use google_cloud_googleapis::pubsub::v1 as pb;
use pb::Encoding;
use pb::schema::Type;
use tonic::Code;

use crate::harness::{message, with_attributes};
use crate::schemas::{AVRO, AVRO_2, NAME, PROTO, PROTO_2, Schemas, settings};

#[tokio::test]
async fn a_topic_takes_only_messages_of_its_schema_and_says_which_revision_they_follow() {
    for (kind, definition, encoding, good, bad) in [
        (Type::Avro, AVRO, Encoding::Json, &br#"{"id": 7}"#[..], &br#"{"id": "7"}"#[..]),
        (Type::Avro, AVRO, Encoding::Binary, b"\x0e", br#"{"id": 7}"#),
        (Type::ProtocolBuffer, PROTO, Encoding::Json, br#"{"id": 7}"#, br#"{"id": "seven"}"#),
        (Type::ProtocolBuffer, PROTO, Encoding::Binary, b"\x08\x07", b"\x10\x07"),
    ] {
        let mut schemas = Schemas::new().await;
        let created = schemas.create("order", kind, definition).await.unwrap();
        let topic = schemas.topic(settings(encoding)).await.unwrap();
        assert_eq!(topic.schema_settings, Some(settings(encoding)));
        assert_eq!(schemas.shown_settings().await, settings(encoding));
        schemas
            .world
            .subscription(|s| s.filter = "attributes.googclient_schemaname = \"projects/p/schemas/order\"".to_owned())
            .await;

        let refusal = schemas.publish(bad).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument);
        let start = "Invalid data in message: Message failed schema validation.";
        assert!(refusal.message().starts_with(start) && refusal.message().contains(&created.revision_id), "{refusal}");
        let of = |data: &[u8]| pb::PubsubMessage { data: data.to_vec(), ..with_attributes("", &[("a", "b")]) };
        assert!(schemas.world.publish(vec![of(good), of(bad)]).await.is_err(), "half a request is published");
        let forged = with_attributes("x", &[("googclient_schemaname", "mine")]);
        assert_eq!(schemas.world.publish(vec![forged]).await.unwrap_err().code(), Code::InvalidArgument);

        schemas.world.publish(vec![of(good)]).await.unwrap();
        let received = schemas.world.pull().await;
        assert_eq!(received.len(), 1);
        let mut expected = of(good).attributes;
        for (key, value) in [("encoding", encoding.as_str_name()), ("name", NAME), ("revisionid", &created.revision_id)]
        {
            expected.insert(format!("googclient_schema{key}"), value.to_owned());
        }
        let message = received[0].message.clone().unwrap();
        assert_eq!((message.attributes, message.data), (expected, good.to_vec()));
    }
}

#[tokio::test]
async fn a_large_publish_is_checked_message_by_message() {
    let mut schemas = Schemas::new().await;
    schemas.create("order", Type::ProtocolBuffer, PROTO_2).await.unwrap();
    schemas.topic_with(|_| {}).await;
    let long = message(&format!(r#"{{"id": 1, "note": "{}"}}"#, "x".repeat(200_000)));
    assert_eq!(schemas.world.publish(vec![long.clone(); 3]).await.unwrap().len(), 3);
    assert!(schemas.world.publish(vec![long.clone(), long, message("x")]).await.is_err());
    assert_eq!(schemas.stamps().await.len(), 3);
}

#[tokio::test]
async fn the_newest_revision_of_the_topics_range_that_a_message_follows_is_taken() {
    let mut schemas = Schemas::new().await;
    let first = schemas.create("order", Type::Avro, AVRO).await.unwrap().revision_id;
    let second = schemas.commit(Type::Avro, AVRO_2).await.unwrap().revision_id;
    let (old, new) = (br#"{"id": 7}"#, br#"{"id": 7, "note": null}"#);

    schemas.topic_with(|_| {}).await;
    schemas.publish(old).await.unwrap();
    schemas.publish(new).await.unwrap();
    assert_eq!(schemas.stamps().await, [first.clone(), second.clone()]);
    // A revision that comes later is allowed at once.
    let back = pb::RollbackSchemaRequest { name: NAME.to_owned(), revision_id: first.clone() };
    let third = schemas.client.rollback_schema(back).await.unwrap().into_inner().revision_id;
    schemas.publish(old).await.unwrap();
    assert_eq!(schemas.stamps().await, std::slice::from_ref(&third));

    schemas.topic_with(|s| s.last_revision_id.clone_from(&first)).await;
    assert!(schemas.publish(new).await.is_err());
    schemas.publish(old).await.unwrap();
    schemas.topic_with(|s| (s.first_revision_id, s.last_revision_id) = (second.clone(), second.clone())).await;
    assert!(schemas.publish(old).await.is_err());
    schemas.publish(new).await.unwrap();

    // The next one stands in for a first revision that is deleted.
    schemas.topic_with(|s| s.first_revision_id.clone_from(&second)).await;
    schemas.delete_revision(&format!("{NAME}@{second}")).await.unwrap();
    assert!(schemas.publish(new).await.is_err());
    schemas.publish(old).await.unwrap();
    assert_eq!(schemas.stamps().await, [third]);
}

#[tokio::test]
async fn schema_settings_that_make_no_sense_are_refused() {
    let mut schemas = Schemas::new().await;
    let first = schemas.create("order", Type::Avro, AVRO).await.unwrap().revision_id;
    let second = schemas.commit(Type::Avro, AVRO_2).await.unwrap().revision_id;
    let json = settings(Encoding::Json);
    for (settings, code) in [
        (settings(Encoding::Unspecified), Code::InvalidArgument),
        (pb::SchemaSettings { encoding: 7, ..json.clone() }, Code::InvalidArgument),
        (pb::SchemaSettings { schema: "order".to_owned(), ..json.clone() }, Code::InvalidArgument),
        (pb::SchemaSettings { schema: "_deleted-schema_".to_owned(), ..json.clone() }, Code::InvalidArgument),
        (pb::SchemaSettings { schema: "projects/p/schemas/none".to_owned(), ..json.clone() }, Code::NotFound),
        (pb::SchemaSettings { first_revision_id: "12345678".to_owned(), ..json.clone() }, Code::NotFound),
        (pb::SchemaSettings { last_revision_id: "x".to_owned(), ..json.clone() }, Code::NotFound),
        (pb::SchemaSettings { first_revision_id: second, last_revision_id: first, ..json }, Code::InvalidArgument),
    ] {
        let refusal = schemas.topic(settings.clone()).await.unwrap_err();
        assert_eq!(refusal.code(), code, "{settings:?}: {refusal}");
    }
}

#[tokio::test]
async fn schemas_and_what_topics_have_of_them_survive_a_crash() {
    let mut schemas = Schemas::new().await;
    let first = schemas.create("order", Type::Avro, AVRO).await.unwrap();
    let second = schemas.commit(Type::Avro, AVRO_2).await.unwrap();
    schemas.create("other", Type::ProtocolBuffer, PROTO).await.unwrap();
    schemas.topic_with(|s| s.first_revision_id.clone_from(&second.revision_id)).await;
    let settings = schemas.shown_settings().await;

    schemas.crash().await;

    assert_eq!(schemas.revisions().await, [first, second.clone()]);
    assert_eq!(schemas.shown_settings().await, settings);
    assert!(schemas.publish(br#"{"id": 7}"#).await.is_err());
    schemas.publish(br#"{"id": 7, "note": {"string": "x"}}"#).await.unwrap();
    assert_eq!(schemas.stamps().await, std::slice::from_ref(&second.revision_id));
    let third = schemas.commit(Type::Avro, AVRO).await.unwrap();
    schemas.delete_revision(&format!("{NAME}@{}", third.revision_id)).await.unwrap();
    schemas.crash().await;
    assert_eq!(schemas.revisions().await.len(), 2);
    assert_ne!(schemas.commit(Type::Avro, AVRO).await.unwrap().revision_id, third.revision_id, "an id is given twice");
}

#[tokio::test]
async fn a_topic_whose_schema_is_deleted_says_so_and_takes_nothing() {
    let mut schemas = Schemas::new().await;
    schemas.create("order", Type::Avro, AVRO).await.unwrap();
    schemas.topic_with(|_| {}).await;
    schemas.publish(br#"{"id": 7}"#).await.unwrap();
    schemas.delete().await;
    for _ in 0..2 {
        let expected = pb::SchemaSettings { schema: "_deleted-schema_".to_owned(), ..settings(Encoding::Json) };
        assert_eq!(schemas.shown_settings().await, expected);
        let refusal = schemas.publish(br#"{"id": 7}"#).await.unwrap_err();
        assert_eq!((refusal.code(), refusal.message()), (Code::NotFound, "Schema associated with topic deleted."));
        schemas.crash().await;
    }
    // Another schema of the name is another schema.
    schemas.create("order", Type::Avro, AVRO).await.unwrap();
    for _ in 0..2 {
        assert!(schemas.publish(br#"{"id": 7}"#).await.is_err());
        schemas.crash().await;
    }
    assert_eq!(schemas.stamps().await.len(), 1);
}
