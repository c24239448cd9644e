// What redaction does with the values of header fields.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "analyze/redact/rules/rules.h"

namespace tailcap::redact {

struct HeaderRule {
  std::string_view name;
  Value value;
};
// Free text (user-agent, server, via, tracestate, grpc-message, …) is not on the list.
inline constexpr auto kHeaderRules = std::to_array<HeaderRule>({
    {":authority", Value::authority},
    {":method", Value::words},
    {":path", Value::target},
    {":protocol", Value::words},
    {":scheme", Value::words},
    {":status", Value::number},
    {"age", Value::number},
    {"b3", Value::id},
    {"connection", Value::words},
    {"content-encoding", Value::words},
    {"content-length", Value::number},
    {"content-type", Value::type},
    {"correlation-id", Value::id},
    {"expect", Value::words},
    {"grpc-accept-encoding", Value::words},
    {"grpc-encoding", Value::words},
    {"grpc-previous-rpc-attempts", Value::number},
    {"grpc-retry-pushback-ms", Value::number},
    {"grpc-status", Value::number},
    {"grpc-timeout", Value::grpc},
    {"grpc-trace-bin", Value::id},
    {"host", Value::authority},
    {"http2-settings", Value::masked},
    {"keep-alive", Value::words},
    {"max-forwards", Value::number},
    {"proxy-connection", Value::words},
    {"request-id", Value::id},
    {"retry-after", Value::number},
    {"span-id", Value::id},
    {"te", Value::words},
    {"trace-id", Value::id},
    {"traceparent", Value::id},
    {"transfer-encoding", Value::words},
    {"uber-trace-id", Value::id},
    {"upgrade", Value::words},
    {"x-amzn-trace-id", Value::masked},
    {"x-b3-flags", Value::number},
    {"x-b3-parentspanid", Value::id},
    {"x-b3-sampled", Value::number},
    {"x-b3-spanid", Value::id},
    {"x-b3-traceid", Value::id},
    {"x-cloud-trace-context", Value::id},
    {"x-correlation-id", Value::id},
    {"x-datadog-parent-id", Value::id},
    {"x-datadog-sampling-priority", Value::number},
    {"x-datadog-trace-id", Value::id},
    {"x-envoy-attempt-count", Value::number},
    {"x-envoy-upstream-service-time", Value::number},
    {"x-grpc-web", Value::number},
    {"x-request-id", Value::id},
    {"x-span-id", Value::id},
    {"x-trace-id", Value::id},
});
static_assert(std::ranges::is_sorted(kHeaderRules, {}, &HeaderRule::name));

}  // namespace tailcap::redact
