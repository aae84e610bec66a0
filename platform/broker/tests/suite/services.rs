//! The services beside Pub/Sub's own: health, reflection, IAM.

use google_cloud_googleapis::iam::v1 as iam;
use google_cloud_googleapis::iam::v1::iam_policy_client::IamPolicyClient;
use http::Method;
use prost::Message;
use prost_types::FileDescriptorProto;
use serde_json::json;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha;

use crate::harness::{SUBSCRIPTION, TOPIC, World, soon};

const SERVICES: [&str; 4] = [
    "google.iam.v1.IAMPolicy",
    "google.pubsub.v1.Publisher",
    "google.pubsub.v1.SchemaService",
    "google.pubsub.v1.Subscriber",
];

async fn connected(world: &World) -> Channel {
    let address = world.broker.as_ref().unwrap().address();
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn the_broker_and_each_service_are_healthy_until_it_stops() {
    let mut world = World::new().await;
    let mut health = HealthClient::new(connected(&world).await);
    let request = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for service in SERVICES.into_iter().chain([""]) {
        let answer = health.check(request(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    assert_eq!(health.check(request("google.pubsub.v1.Nothing")).await.unwrap_err().code(), Code::NotFound);
    let mut unknown = health.watch(request("google.pubsub.v1.Nothing")).await.unwrap().into_inner();
    assert_eq!(soon(unknown.message()).await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);

    let mut watched = health.watch(request("google.pubsub.v1.Publisher")).await.unwrap().into_inner();
    assert_eq!(soon(watched.message()).await.unwrap().unwrap().status(), ServingStatus::Serving);
    let stopping = tokio::spawn(world.broker.take().unwrap().shutdown());
    assert_eq!(soon(watched.message()).await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(soon(watched.message()).await.unwrap().is_none(), "a watch does not keep the broker from stopping");
    soon(stopping).await.unwrap();
}

#[tokio::test]
async fn reflection_tells_every_service_and_its_messages() {
    let world = World::new().await;
    let mut client = ServerReflectionClient::new(connected(&world).await);
    let ask =
        |question: MessageRequest| v1::ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let questions = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("google.pubsub.v1.Publisher.Publish".to_owned())),
        ask(MessageRequest::FileByFilename("google/protobuf/duration.proto".to_owned())),
    ];
    let mut answers = client.server_reflection_info(tokio_stream::iter(questions)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(listed)) = next(&mut answers).await else { panic!("no list") };
    let mut listed: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
    listed.sort();
    let mut expected = SERVICES.map(str::to_owned).to_vec();
    expected.extend(
        ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
            .map(str::to_owned),
    );
    assert_eq!(listed, expected);
    let Some(MessageResponse::FileDescriptorResponse(file)) = next(&mut answers).await else { panic!("no file") };
    let file = FileDescriptorProto::decode(file.file_descriptor_proto[0].as_slice()).unwrap();
    assert_eq!(file.name(), "google/pubsub/v1/pubsub.proto");
    assert!(matches!(next(&mut answers).await, Some(MessageResponse::FileDescriptorResponse(_))));
}

async fn next(answers: &mut tonic::Streaming<v1::ServerReflectionResponse>) -> Option<MessageResponse> {
    soon(answers.message()).await.unwrap().unwrap().message_response
}

#[tokio::test]
async fn reflection_is_asked_in_its_older_version_too() {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;

    let world = World::new().await;
    let mut client = ServerReflectionClient::new(connected(&world).await);
    let question = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol("google.pubsub.v1.Subscriber".to_owned())),
    };
    let mut answers = client.server_reflection_info(tokio_stream::iter([question])).await.unwrap().into_inner();
    let answer = soon(answers.message()).await.unwrap().unwrap().message_response;
    assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{answer:?}");
}

#[tokio::test]
async fn everyone_has_every_permission_on_what_is_there() {
    let mut world = World::with_topic().await;
    world.subscription(|_| {}).await;
    let mut client = IamPolicyClient::new(connected(&world).await);
    let asked = ["pubsub.topics.publish", "pubsub.topics.get"].map(str::to_owned).to_vec();
    let request =
        |resource: &str| iam::TestIamPermissionsRequest { resource: resource.to_owned(), permissions: asked.clone() };
    for resource in [TOPIC, SUBSCRIPTION] {
        let answer = client.test_iam_permissions(request(resource)).await.unwrap().into_inner();
        assert_eq!(answer.permissions, asked, "{resource}");
        let path = format!("/v1/{resource}:testIamPermissions");
        let body = json!({ "permissions": asked });
        assert_eq!(world.rest(Method::POST, &path, &body.to_string()).await, (200, body), "{resource}");
    }
    for (resource, code) in [
        ("projects/p/topics/none", Code::NotFound),
        ("projects/p/subscriptions/none", Code::NotFound),
        ("projects/p/snapshots/none", Code::NotFound),
        ("projects/p/schemas/none", Code::NotFound),
        ("projects/p/things/some", Code::InvalidArgument),
        ("projects/p", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        let refusal = client.test_iam_permissions(request(resource)).await.unwrap_err();
        assert_eq!(refusal.code(), code, "{resource}");
    }
    let any = iam::TestIamPermissionsRequest { permissions: vec!["pubsub.*".to_owned()], ..request(TOPIC) };
    assert_eq!(client.test_iam_permissions(any).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn policies_are_refused_with_the_reason() {
    let world = World::with_topic().await;
    let mut client = IamPolicyClient::new(connected(&world).await);
    let refusal = client.get_iam_policy(iam::GetIamPolicyRequest::default()).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unimplemented);
    assert!(refusal.message().contains("no access control"), "{refusal}");
    let refusal = client.set_iam_policy(iam::SetIamPolicyRequest::default()).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unimplemented);
}
