#!/usr/bin/env node
/**
 * What a Node program does with Pub/Sub, each thing once: exercise.mjs [STEP...]
 *
 * Speaks to PUBSUB_EMULATOR_HOST through Google's own client. Prints a line per step and ends with status 1 and the reason at the first
 * step that fails. What it made is gone afterwards. BOUTIQUE_NODE_MODULES names the folder of the client, where it is not beside us.
 */

import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { on } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// The client looks for Google's machines around it even when it is told of an emulator.
process.env.METADATA_SERVER_DETECTION ??= 'none';
const modules = process.env.BOUTIQUE_NODE_MODULES;
const require = createRequire(modules ? join(modules, 'here') : import.meta.url);
const { AckResponses, Encodings, PubSub, Schema, SchemaTypes } = require('@google-cloud/pubsub');

// A step that takes longer has failed.
const STEP_SECONDS = 15;
// How long nothing comes before we believe that nothing will.
const QUIET_SECONDS = 0.5;
const PROJECT = 'clients-node';
// Part of every name, so that runs do not meet.
const RUN = randomBytes(4).toString('hex');
const ORDER = { type: 'record', name: 'Order', fields: [{ name: 'units', type: 'int' }] };
// gRPC's codes of refusals.
const [INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION] = [3, 5, 6, 9];

async function create() {
  const topic = await makeTopic('create');
  const [stored] = await topic.getMetadata();
  equal(stored.name, topic.name);
  await refused(ALREADY_EXISTS, () => topic.create());
  const subscription = await subscribe('create', topic, { ackDeadlineSeconds: 30, labels: { team: 'orders' } });
  const [{ topic: of, ackDeadlineSeconds, labels }] = await subscription.getMetadata();
  deepEqual({ of, ackDeadlineSeconds, labels }, { of: topic.name, ackDeadlineSeconds: 30, labels: { team: 'orders' } });
  await refused(ALREADY_EXISTS, () => topic.createSubscription(subscription.name));
  await refused(NOT_FOUND, () => pubsub.topic(`other-${RUN}`).createSubscription(`other-${RUN}`));
}

async function publishAndReceive() {
  const [topic, subscription] = await topicAndSubscription('publish');
  const texts = Array.from({ length: 50 }, (_, at) => `${at}`);
  const ids = await publish(topic, texts, { origin: 'web', empty: '' });
  const heard = {};
  await stream(subscription, async (following) => {
    for (const _ of ids) {
      const message = await following();
      deepEqual({ ...message.attributes }, { origin: 'web', empty: '' });
      equal(message.deliveryAttempt, 0);
      heard[message.id] = message.data.toString();
      message.ack();
    }
    await expectQuiet(following);
  });
  deepEqual(heard, Object.fromEntries(ids.map((id, at) => [id, texts[at]])));
}

async function order() {
  const [made, subscription] = await topicAndSubscription('order', { enableMessageOrdering: true });
  const topic = pubsub.topic(made.name, { messageOrdering: true });
  const keys = ['milk', 'bread', 'honey'];
  const numbers = Array.from({ length: 40 }, (_, at) => at);
  const sent = numbers.flatMap((at) =>
    keys.map((orderingKey) => topic.publishMessage({ data: Buffer.from(`${at}`), orderingKey })),
  );
  await Promise.all(sent);
  const heard = Object.fromEntries(keys.map((key) => [key, []]));
  await stream(subscription, async (following) => {
    for (const _ of sent) {
      const message = await following();
      heard[message.orderingKey].push(Number(message.data));
      message.ack();
    }
  });
  deepEqual(heard, Object.fromEntries(keys.map((key) => [key, numbers])));
}

async function nack() {
  const [topic, subscription] = await topicAndSubscription('nack');
  await publish(topic, ['again']);
  await stream(subscription, async (following) => {
    const first = await following();
    first.nack();
    const second = await following();
    equal(second.id, first.id);
    second.ack();
    await expectQuiet(following);
  });
}

async function deadLetter() {
  const [dead, burial] = await topicAndSubscription('dead');
  const deadLetterPolicy = { deadLetterTopic: dead.name, maxDeliveryAttempts: 5 };
  const [topic, subscription] = await topicAndSubscription('living', { deadLetterPolicy });
  await publish(topic, ['broken'], { origin: 'web' });
  let letter;
  await stream(subscription, async (following) => {
    for (let attempt = 1; attempt <= 5; attempt++) {
      const message = await following();
      equal(message.deliveryAttempt, attempt);
      message.nack();
    }
    await stream(burial, async (buried) => {
      letter = await buried();
      letter.ack();
    });
    await expectQuiet(following);
  });
  deepEqual([letter.data.toString(), letter.attributes.origin], ['broken', 'web']);
  const source = (key) => letter.attributes[`CloudPubSubDeadLetterSource${key}`];
  equal(source('DeliveryCount'), '5');
  equal(source('Subscription'), subscription.name.split('/').at(-1));
  equal(source('SubscriptionProject'), PROJECT);
  ok(Date.parse(source('TopicPublishTime')));
}

async function seekToTime() {
  const [topic, subscription] = await topicAndSubscription('seek', { retainAckedMessages: true });
  const now = Date.now();
  await publish(topic, ['1', '2', '3']);
  deepEqual(await receive(subscription, 3), ['1', '2', '3']);
  await subscription.seek(new Date(now - 1_000));
  deepEqual(await receive(subscription, 3), ['1', '2', '3']);
  await publish(topic, ['4', '5']);
  await subscription.seek(new Date(now + 3_600_000));
  deepEqual(await receive(subscription, 0), []);
}

async function seekToSnapshot() {
  const [topic, subscription] = await topicAndSubscription('snapshot');
  await publish(topic, ['1', '2']);
  const snapshot = made(subscription.snapshot(`snapshot-${RUN}`));
  const [, created] = await snapshot.create();
  equal(created.topic, topic.name);
  await publish(topic, ['3']);
  deepEqual(await receive(subscription, 3), ['1', '2', '3']);
  await snapshot.seek();
  deepEqual(await receive(subscription, 3), ['1', '2', '3']);
  const [snapshots] = await pubsub.getSnapshots();
  ok(snapshots.some(({ name }) => name === snapshot.name));
}

async function schema() {
  const schema = made(pubsub.schema(`schema-${RUN}`));
  await pubsub.createSchema(schema.id, SchemaTypes.Avro, JSON.stringify(ORDER));
  const { definition, revisionId } = await schema.get();
  deepEqual(JSON.parse(definition), ORDER);
  await refused(INVALID_ARGUMENT, () => pubsub.validateSchema({ type: SchemaTypes.Avro, definition: '{}' }));
  await refused(INVALID_ARGUMENT, () => schema.validateMessage(Buffer.from('{"units":"three"}'), Encodings.Json));
  const name = await schema.getName();
  const topic = await makeTopic('schema', { schemaSettings: { schema: name, encoding: Encodings.Json } });
  const subscription = await subscribe('schema', topic);
  await refused(INVALID_ARGUMENT, () => publish(topic, ['{"units":"three"}']));
  await publish(topic, ['{"units":3}']);
  await stream(subscription, async (following) => {
    const message = await following();
    message.ack();
    equal(message.data.toString(), '{"units":3}');
    const said = Schema.metadataFromMessage(message.attributes);
    deepEqual(said, { name, encoding: 'JSON', revision: revisionId });
    await expectQuiet(following);
  });
}

async function update() {
  const [topic, subscription] = await topicAndSubscription('update', { labels: { team: 'orders' } });
  const [updated] = await subscription.setMetadata({ ackDeadlineSeconds: 42 });
  const [stored] = await subscription.getMetadata();
  for (const seen of [updated, stored]) {
    deepEqual([seen.ackDeadlineSeconds, seen.labels], [42, { team: 'orders' }]);
  }
  await refused(INVALID_ARGUMENT, () => subscription.setMetadata({ colour: 'red' }));
  await refused(INVALID_ARGUMENT, () => subscription.setMetadata({}));
  await topic.setMetadata({ labels: { team: 'stock' } });
  const [{ labels }] = await topic.getMetadata();
  deepEqual(labels, { team: 'stock' });
}

async function detach() {
  const [topic, subscription] = await topicAndSubscription('detach');
  await publish(topic, ['dropped']);
  await pubsub.detachSubscription(subscription.name);
  deepEqual(await subscription.detached(), [true]);
  await refused(FAILED_PRECONDITION, () => stream(subscription, (following) => following()));
}

async function listByPages() {
  const topics = [];
  for (let at = 0; at < 5; at++) topics.push(await makeTopic(`list-${at}`));
  const subscriptions = [];
  for (let at = 0; at < 5; at++) subscriptions.push(await subscribe(`list-${at}`, topics[0]));
  const names = (list) => list.map(({ name }) => name).sort();
  const ours = (found, list) => names(found).filter((name) => names(list).includes(name));
  deepEqual(ours(await pages((query) => pubsub.getTopics(query)), topics), names(topics));
  deepEqual(ours(await pages((query) => pubsub.getSubscriptions(query)), subscriptions), names(subscriptions));
  deepEqual(names(await pages((query) => topics[0].getSubscriptions(query))), names(subscriptions));
}

async function exactlyOnce() {
  const [topic, subscription] = await topicAndSubscription('once', { enableExactlyOnceDelivery: true });
  await publish(topic, ['once']);
  await stream(subscription, async (following) => {
    const first = await following();
    ok(first.isExactlyOnceDelivery);
    equal(await first.nackWithResponse(), AckResponses.Success);
    const second = await following();
    equal(second.id, first.id);
    equal(await second.ackWithResponse(), AckResponses.Success);
    await expectQuiet(following);
  });
}

/** Deletes what the steps before it made. */
async function deleteAll() {
  for (const topic of everything.filter((one) => one.publishMessage)) {
    await topic.delete();
    await refused(NOT_FOUND, () => topic.getMetadata());
    await refused(NOT_FOUND, () => publish(topic, ['nobody listens']));
  }
  for (const subscription of everything.filter((one) => one.createSnapshot)) {
    const [{ topic }] = await subscription.getMetadata();
    equal(topic, '_deleted-topic_');
    await subscription.delete();
    await refused(NOT_FOUND, () => subscription.getMetadata());
  }
  for (const other of everything.filter((one) => !one.publishMessage && !one.createSnapshot)) await other.delete();
  for (const one of everything) await refused(NOT_FOUND, () => one.delete());
  everything.length = 0;
}

const STEPS = {
  create,
  publish: publishAndReceive,
  order,
  nack,
  'dead-letter': deadLetter,
  'seek-time': seekToTime,
  'seek-snapshot': seekToSnapshot,
  schema,
  update,
  detach,
  list: listByPages,
  'exactly-once': exactlyOnce,
  delete: deleteAll,
};

/** Remembers what is about to be made, and will be deleted. */
function made(one) {
  everything.push(one);
  return one;
}

async function makeTopic(what, options = {}) {
  const topic = made(pubsub.topic(`${what}-${RUN}`));
  await pubsub.createTopic({ name: topic.name, ...options });
  return topic;
}

async function subscribe(what, topic, options = {}) {
  const subscription = made(pubsub.subscription(`${what}-${RUN}`));
  await pubsub.createSubscription(topic, subscription.name, options);
  return subscription;
}

async function topicAndSubscription(what, options) {
  const topic = await makeTopic(what);
  return [topic, await subscribe(what, topic, options)];
}

/** Resolves to the ids once all are published. */
function publish(topic, texts, attributes = {}) {
  return Promise.all(texts.map((text) => topic.publishMessage({ data: Buffer.from(text), attributes })));
}

/** Runs a streaming pull beside `use`, which gets a function that waits for the next message. */
async function stream({ name }, use) {
  const subscription = pubsub.subscription(name);
  const messages = on(subscription, 'message');
  try {
    return await use(async () => (await messages.next()).value[0]);
  } finally {
    await subscription.close();
    await messages.return();
  }
}

/** Acks so many messages, after which none must come, and resolves to their texts. */
async function receive(subscription, count) {
  const texts = [];
  await stream(subscription, async (following) => {
    while (texts.length < count) {
      const message = await following();
      message.ack();
      texts.push(message.data.toString());
    }
    await expectQuiet(following);
  });
  return texts.sort();
}

/** Gathers pages of two. */
async function pages(list) {
  const found = [];
  for (let query = { pageSize: 2, autoPaginate: false }; query; ) {
    const [page, next] = await list(query);
    ok(page.length <= 2);
    found.push(...page);
    query = next;
  }
  return found;
}

async function refused(code, call) {
  await rejects(call, (error) => equal(error.code, code, error) ?? true);
}

async function expectQuiet(following) {
  const message = await Promise.race([following(), after(QUIET_SECONDS)]);
  equal(message?.data.toString(), undefined, 'a message came, and should not have');
}

/** Resolves to nothing after a while. */
function after(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}

async function inTime(work) {
  const late = after(STEP_SECONDS).then(() => {
    throw new Error(`it took more than ${STEP_SECONDS} s`);
  });
  return Promise.race([work, late]);
}

/** After a failure: deletes what can be deleted. */
async function cleanUp() {
  // One that was not made, or is deleted already, refuses.
  await Promise.allSettled(everything.map((one) => one.delete()));
}

async function main(chosen) {
  let failed = false;
  for (const step of chosen.length > 0 ? chosen : Object.keys(STEPS)) {
    try {
      await inTime(STEPS[step]());
      console.log(`ok ${step}`);
    } catch (error) {
      console.log(`failed ${step}`);
      console.error(error);
      failed = true;
      break;
    }
  }
  await inTime(cleanUp());
  return failed ? 1 : 0;
}

if (!process.env.PUBSUB_EMULATOR_HOST) {
  console.error('PUBSUB_EMULATOR_HOST is not set: this is not for the service itself');
  process.exit(1);
}
const everything = [];
const pubsub = new PubSub({ projectId: PROJECT });
// Streams that did not end well must not keep the process.
process.exit(await main(process.argv.slice(2)));
