#!/usr/bin/env python3
"""What a Python program does with Pub/Sub, each thing once: exercise.py [STEP...]

Speaks to PUBSUB_EMULATOR_HOST through Google's own client. Prints a line per step and ends with status 1 and the reason at the first
step that fails. What it made is gone afterwards.
"""

import json
import os
import queue
import signal
import sys
import traceback
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from google.api_core.exceptions import AlreadyExists, FailedPrecondition, GoogleAPICallError, InvalidArgument, NotFound
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.exceptions import AcknowledgeStatus
from google.cloud.pubsub_v1.types import PublisherOptions
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import Encoding, Schema, Snapshot, Subscription, Topic

# A step that takes longer has failed.
STEP_SECONDS = 15
# How long nothing comes before we believe that nothing will.
QUIET_SECONDS = 0.5
PROJECT = "clients-python"
PARENT = f"projects/{PROJECT}"
# Part of every name, so that runs do not meet.
RUN = uuid.uuid4().hex[:8]
ORDER = {"type": "record", "name": "Order", "fields": [{"name": "units", "type": "int"}]}


def create():
    topic = publisher.create_topic(name=named("topics", "create")).name
    expect(publisher.get_topic(topic=topic).name, topic)
    with refused(AlreadyExists):
        publisher.create_topic(name=topic)
    subscription = subscribe("create", topic, ack_deadline_seconds=30, labels={"team": "orders"})
    stored = subscriber.get_subscription(subscription=subscription)
    expect((stored.topic, stored.ack_deadline_seconds, dict(stored.labels)), (topic, 30, {"team": "orders"}))
    with refused(AlreadyExists):
        subscriber.create_subscription(name=subscription, topic=topic)
    with refused(NotFound):
        subscriber.create_subscription(name=f"{subscription}-other", topic=f"{topic}-other")


def publish_and_receive():
    topic, subscription = topic_and_subscription("publish")
    ids = publish(topic, *(str(at) for at in range(50)), origin="web", empty="")
    heard = {}
    with stream(subscription) as following:
        for _ in ids:
            message = following()
            expect(dict(message.attributes), {"origin": "web", "empty": ""})
            expect(message.delivery_attempt, None)
            heard[message.message_id] = message.data.decode()
            message.ack()
        expect_quiet(following)
    expect(heard, {id: str(at) for at, id in enumerate(ids)})


def order():
    topic, subscription = topic_and_subscription("order", enable_message_ordering=True)
    keys = ["milk", "bread", "honey"]
    sent = [publisher.publish(topic, b"%d" % at, ordering_key=key) for at in range(40) for key in keys]
    for future in sent:
        future.result()
    heard = {key: [] for key in keys}
    with stream(subscription) as following:
        for _ in sent:
            message = following()
            heard[message.ordering_key].append(int(message.data))
            message.ack()
    expect(heard, {key: list(range(40)) for key in keys})


def nack():
    topic, subscription = topic_and_subscription("nack")
    publish(topic, "again")
    with stream(subscription) as following:
        first = following()
        first.nack()
        second = following()
        expect(second.message_id, first.message_id)
        second.ack()
        expect_quiet(following)


def dead_letter():
    dead, burial = topic_and_subscription("dead")
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    topic, subscription = topic_and_subscription("living", dead_letter_policy=policy)
    publish(topic, "broken", origin="web")
    with stream(subscription) as following, stream(burial) as buried:
        for attempt in range(1, 6):
            message = following()
            expect(message.delivery_attempt, attempt)
            message.nack()
        letter = buried()
        letter.ack()
        expect_quiet(following)
    expect((letter.data, letter.attributes["origin"]), (b"broken", "web"))
    source = {key.removeprefix("CloudPubSubDeadLetterSource"): value for key, value in letter.attributes.items()}
    expect(source["DeliveryCount"], "5")
    expect(source["Subscription"], subscription.rsplit("/", 1)[-1])
    expect(source["SubscriptionProject"], PROJECT)
    datetime.fromisoformat(source["TopicPublishTime"])


def seek_to_time():
    topic, subscription = topic_and_subscription("seek", retain_acked_messages=True)
    now = datetime.now(timezone.utc)
    publish(topic, "1", "2", "3")
    expect(receive(subscription, 3), ["1", "2", "3"])
    subscriber.seek(request={"subscription": subscription, "time": now - timedelta(seconds=1)})
    expect(receive(subscription, 3), ["1", "2", "3"])
    publish(topic, "4", "5")
    subscriber.seek(request={"subscription": subscription, "time": now + timedelta(hours=1)})
    expect(receive(subscription, 0), [])


def seek_to_snapshot():
    topic, subscription = topic_and_subscription("snapshot")
    publish(topic, "1", "2")
    snapshot = named("snapshots", "snapshot")
    expect(subscriber.create_snapshot(name=snapshot, subscription=subscription).topic, topic)
    publish(topic, "3")
    expect(receive(subscription, 3), ["1", "2", "3"])
    subscriber.seek(request={"subscription": subscription, "snapshot": snapshot})
    expect(receive(subscription, 3), ["1", "2", "3"])
    expect(subscriber.get_snapshot(snapshot=snapshot).topic, topic)
    change = {"snapshot": Snapshot(name=snapshot, labels={"keep": "yes"}), "update_mask": FieldMask(paths=["labels"])}
    expect(dict(subscriber.update_snapshot(request=change).labels), {"keep": "yes"})
    expect([each.name for each in subscriber.list_snapshots(project=PARENT) if each.topic == topic], [snapshot])
    expect(list(publisher.list_topic_snapshots(topic=topic)), [snapshot])


def schema():
    schema = named("schemas", "schema")
    avro = Schema(type_=Schema.Type.AVRO, definition=json.dumps(ORDER))
    created = schemas.create_schema(parent=PARENT, schema=avro, schema_id=schema.rsplit("/", 1)[-1])
    expect(json.loads(schemas.get_schema(name=schema).definition), ORDER)
    with refused(InvalidArgument):
        schemas.validate_schema(parent=PARENT, schema=Schema(type_=Schema.Type.AVRO, definition="{}"))
    topic = named("topics", "schema")
    publisher.create_topic(request={"name": topic, "schema_settings": {"schema": schema, "encoding": Encoding.JSON}})
    subscription = subscribe("schema", topic)
    with refused(InvalidArgument):
        publish(topic, '{"units":"three"}')
    publish(topic, '{"units":3}')
    with stream(subscription) as following:
        message = following()
        message.ack()
        expect_quiet(following)
    expect(message.data, b'{"units":3}')
    said = {key.removeprefix("googclient_schema"): value for key, value in message.attributes.items()}
    expect(said, {"encoding": "JSON", "name": schema, "revisionid": created.revision_id})


def update():
    topic, subscription = topic_and_subscription("update", labels={"team": "orders"})
    change = Subscription(name=subscription, ack_deadline_seconds=42, labels={"not": "named"})
    mask = FieldMask(paths=["ack_deadline_seconds"])
    updated = subscriber.update_subscription(subscription=change, update_mask=mask)
    for seen in updated, subscriber.get_subscription(subscription=subscription):
        expect((seen.ack_deadline_seconds, dict(seen.labels)), (42, {"team": "orders"}))
    for paths in ["colour"], []:
        with refused(InvalidArgument):
            subscriber.update_subscription(subscription=change, update_mask=FieldMask(paths=paths))
    labelled = Topic(name=topic, labels={"team": "stock"})
    publisher.update_topic(topic=labelled, update_mask=FieldMask(paths=["labels"]))
    expect(dict(publisher.get_topic(topic=topic).labels), {"team": "stock"})


def detach():
    topic, subscription = topic_and_subscription("detach")
    publish(topic, "dropped")
    publisher.detach_subscription(request={"subscription": subscription})
    expect(subscriber.get_subscription(subscription=subscription).detached, True)
    with refused(FailedPrecondition):
        subscriber.pull(subscription=subscription, max_messages=1)


def list_by_pages():
    topics = [publisher.create_topic(name=named("topics", f"list-{at}")).name for at in range(5)]
    subscriptions = [subscribe(f"list-{at}", topics[0]) for at in range(5)]
    pages = [[topic.name for topic in page.topics] for page in publisher.list_topics(by_two(project=PARENT)).pages]
    expect(max(len(page) for page in pages), 2)
    expect(sorted(topic for page in pages for topic in page if topic in topics), topics)
    found = [each.name for each in subscriber.list_subscriptions(by_two(project=PARENT))]
    expect(sorted(each for each in found if each in subscriptions), subscriptions)
    expect(sorted(publisher.list_topic_subscriptions(by_two(topic=topics[0]))), subscriptions)


def exactly_once():
    topic, subscription = topic_and_subscription("once", enable_exactly_once_delivery=True)
    publish(topic, "once")
    with stream(subscription) as following:
        first = following()
        expect(first.exactly_once_enabled, True)
        expect(first.nack_with_response().result(), AcknowledgeStatus.SUCCESS)
        second = following()
        expect(second.message_id, first.message_id)
        # The first delivery is over, and who acks it is told that it no longer counts.
        with refused(GoogleAPICallError):
            subscriber.acknowledge(subscription=subscription, ack_ids=[first.ack_id])
        expect(second.ack_with_response().result(), AcknowledgeStatus.SUCCESS)
        expect_quiet(following)


def delete():
    """Deletes what the steps before it made."""
    for topic in made["topics"]:
        publisher.delete_topic(topic=topic)
        with refused(NotFound):
            publisher.get_topic(topic=topic)
        with refused(NotFound):
            publish(topic, "nobody listens")
    for snapshot in made["snapshots"]:
        subscriber.delete_snapshot(snapshot=snapshot)
        with refused(NotFound):
            subscriber.get_snapshot(snapshot=snapshot)
    for subscription in made["subscriptions"]:
        expect(subscriber.get_subscription(subscription=subscription).topic, "_deleted-topic_")
        subscriber.delete_subscription(subscription=subscription)
        with refused(NotFound):
            subscriber.get_subscription(subscription=subscription)
        with refused(NotFound):
            subscriber.delete_subscription(subscription=subscription)
    for schema in made["schemas"]:
        schemas.delete_schema(name=schema)
        with refused(NotFound):
            schemas.get_schema(name=schema)
    for names in made.values():
        names.clear()


STEPS = {
    "create": create,
    "publish": publish_and_receive,
    "order": order,
    "nack": nack,
    "dead-letter": dead_letter,
    "seek-time": seek_to_time,
    "seek-snapshot": seek_to_snapshot,
    "schema": schema,
    "update": update,
    "detach": detach,
    "list": list_by_pages,
    "exactly-once": exactly_once,
    "delete": delete,
}


def named(kind, what):
    """The full name of something that is about to be made, and will be deleted."""
    full = f"{PARENT}/{kind}/{what}-{RUN}"
    made[kind].append(full)
    return full


def subscribe(what, topic, **options):
    request = {"name": named("subscriptions", what), "topic": topic, **options}
    return subscriber.create_subscription(request).name


def topic_and_subscription(what, **options):
    topic = publisher.create_topic(name=named("topics", what)).name
    return topic, subscribe(what, topic, **options)


def publish(topic, *texts, **attributes):
    """Returns the ids once all are published."""
    sent = [publisher.publish(topic, text.encode(), **attributes) for text in texts]
    return [future.result() for future in sent]


@contextmanager
def stream(subscription):
    """A streaming pull, as a function that waits for the next message."""
    heard = queue.SimpleQueue()
    pull = subscriber.subscribe(subscription, callback=heard.put)
    pull.add_done_callback(heard.put)

    def following(seconds=STEP_SECONDS):
        message = heard.get(timeout=seconds)
        if message is pull:
            raise AssertionError(f"the stream ended: {pull.exception()}")
        return message

    try:
        yield following
    finally:
        pull.cancel()
        pull.result()


def receive(subscription, count):
    """Acks so many messages, after which none must come, and returns their texts."""
    texts = []
    with stream(subscription) as following:
        for _ in range(count):
            message = following()
            message.ack()
            texts.append(message.data.decode())
        expect_quiet(following)
    return sorted(texts)


def by_two(**request):
    return {"page_size": 2, **request}


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


def expect_quiet(following):
    try:
        message = following(QUIET_SECONDS)
    except queue.Empty:
        return
    raise AssertionError(f"{message.data!r} came, and should not have")


@contextmanager
def refused(error):
    try:
        yield
    except error:
        return
    raise AssertionError(f"expected {error.__name__}, but it was accepted")


def clean_up():
    """After a failure: deletes what can be deleted."""
    deletions = {
        "snapshots": lambda name: subscriber.delete_snapshot(snapshot=name),
        "subscriptions": lambda name: subscriber.delete_subscription(subscription=name),
        "topics": lambda name: publisher.delete_topic(topic=name),
        "schemas": lambda name: schemas.delete_schema(name=name),
    }
    for kind, remove in deletions.items():
        for name in made[kind]:
            try:
                remove(name)
            except GoogleAPICallError:
                pass  # It was not made, or is deleted already.


def out_of_time(*_):
    raise TimeoutError(f"it took more than {STEP_SECONDS} s")


def main(chosen):
    signal.signal(signal.SIGALRM, out_of_time)
    for step in chosen or STEPS:
        signal.alarm(STEP_SECONDS)
        try:
            STEPS[step]()
        except Exception:
            signal.alarm(STEP_SECONDS)
            clean_up()
            print(f"failed {step}", flush=True)
            traceback.print_exc()
            return 1
        print(f"ok {step}", flush=True)
    signal.alarm(STEP_SECONDS)
    clean_up()
    return 0


if "PUBSUB_EMULATOR_HOST" not in os.environ:
    sys.exit("PUBSUB_EMULATOR_HOST is not set: this is not for the service itself")
made = {"topics": [], "subscriptions": [], "snapshots": [], "schemas": []}
publisher = pubsub_v1.PublisherClient(publisher_options=PublisherOptions(enable_message_ordering=True))
subscriber = pubsub_v1.SubscriberClient()
schemas = pubsub_v1.SchemaServiceClient()
status = main(sys.argv[1:])
# Threads of streams that did not end well must not keep the process.
sys.stderr.flush()
os._exit(status)
