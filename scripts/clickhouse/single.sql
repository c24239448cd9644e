-- scripts/clickhouse/tables
-- A row that is loaded again replaces the one with the same key, so queries say FINAL.
CREATE DATABASE IF NOT EXISTS tailcap;

-- a request, at one of its ends
CREATE TABLE IF NOT EXISTS tailcap.request (
  capture_id String,
  day Date,
  id String,
  trace_id String,
  span_id String,
  start_ns Nullable(UInt64),
  service String,
  role String,
  method String,
  route String,
  path String,
  authority String,
  protocol String,
  status Nullable(UInt16),
  grpc_status Nullable(UInt32),
  outcome String,
  standing String,
  taints Array(String),
  duration_ns Nullable(UInt64),
  first_byte_ns Nullable(UInt64),
  tls UInt8,
  local String,
  remote String,
  request_bytes Nullable(UInt64),
  response_bytes Nullable(UInt64),
  parent_request_id String,
  peer_request_id String,
  label Nested(name String, ns UInt64),
  operation String,
  resource String,
  statement String,
  error_code String,
  rows Nullable(UInt64),
  request_id String ALIAS id
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (capture_id, id);

-- a route of a capture
CREATE TABLE IF NOT EXISTS tailcap.route (
  capture_id String,
  day Date,
  service String,
  role String,
  method String,
  route String,
  requests UInt64,
  incomplete UInt64,
  tainted UInt64,
  clean UInt64,
  doubtful UInt64,
  in_flight UInt64,
  client_errors UInt64,
  server_errors UInt64,
  other_failures UInt64,
  seconds Float64,
  independent Float64,
  effective Array(Float64),
  support Array(UInt8),
  value_ns Array(UInt64),
  low_ns Array(UInt64),
  high_ns Array(UInt64),
  reason Array(String)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (capture_id, service, role, method, route);

-- where the time of a route's requests went, of a capture
CREATE TABLE IF NOT EXISTS tailcap.label (
  capture_id String,
  day Date,
  service String,
  role String,
  method String,
  route String,
  label String,
  ns UInt64,
  requests UInt64
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (capture_id, service, role, method, route, label);

-- an answer of a capture's report
CREATE TABLE IF NOT EXISTS tailcap.verdict (
  capture_id String,
  day Date,
  number UInt32,
  scope String,
  kind String,
  level UInt8,
  pattern String,
  service String,
  method String,
  route String,
  label String,
  origin String,
  requests UInt64,
  of UInt64,
  slow_ns Int64,
  typical_ns Int64,
  excess_ns Int64,
  part_of Int32,
  example String,
  sentence String
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (capture_id, number);

-- an hour of a service, of a capture: the sums of its routes
CREATE TABLE IF NOT EXISTS tailcap.service_hour (
  capture_id String,
  day Date,
  hour_ns Int64,
  service String,
  role String,
  requests UInt64,
  judged UInt64,
  failed UInt64,
  client_errors UInt64,
  zero UInt64,
  sum_ns UInt64,
  bucket Array(Int16),
  count Array(UInt64),
  label Array(String),
  label_ns Array(UInt64)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (hour_ns, capture_id, service, role);

-- an hour of a route, of a capture: durations in buckets (formats/summary/duration_sketch.h), time by label
CREATE TABLE IF NOT EXISTS tailcap.route_hour (
  capture_id String,
  day Date,
  hour_ns Int64,
  service String,
  role String,
  method String,
  route String,
  requests UInt64,
  judged UInt64,
  failed UInt64,
  client_errors UInt64,
  zero UInt64,
  sum_ns UInt64,
  bucket Array(Int16),
  count Array(UInt64),
  label Array(String),
  label_ns Array(UInt64)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (hour_ns, capture_id, service, role, method, route);

-- an hour of the calls between two services, of a capture
CREATE TABLE IF NOT EXISTS tailcap.call_hour (
  capture_id String,
  day Date,
  hour_ns Int64,
  caller String,
  callee String,
  requests UInt64,
  failed UInt64,
  zero UInt64,
  sum_ns UInt64,
  bucket Array(Int16),
  count Array(UInt64)
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (hour_ns, capture_id, caller, callee);

-- a note deploy or version of a capture, for a service that it recorded
CREATE TABLE IF NOT EXISTS tailcap.deployment (
  capture_id String,
  day Date,
  at_ns Int64,
  service String,
  host String,
  name String,
  value String
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (capture_id, at_ns, service, name, value);

-- a capture that was loaded as a whole
CREATE TABLE IF NOT EXISTS tailcap.capture (
  capture_id String,
  day Date,
  file String,
  host String,
  kernel String,
  state UInt8,
  began_ns Nullable(UInt64),
  duration_ns UInt64,
  events UInt64,
  lost UInt64,
  unseen UInt64,
  damaged_blocks UInt64,
  contradicts UInt8,
  unrecorded UInt8,
  requests UInt64,
  complete UInt64,
  incomplete UInt64,
  unknown UInt64,
  tainted UInt64,
  exchanges UInt64,
  both_ends UInt64,
  client_errors UInt64,
  server_errors UInt64,
  other_failures UInt64,
  clean UInt64
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (capture_id);

-- mergeable states of a route's percentiles, of a capture
CREATE TABLE IF NOT EXISTS tailcap.route_state (
  capture_id String,
  day Date,
  service String,
  role String,
  method String,
  route String,
  durations AggregateFunction(quantilesExact(0.5, 0.9, 0.95, 0.99, 0.999), UInt64),
  n UInt64
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(day) ORDER BY (capture_id, service, role, method, route);
