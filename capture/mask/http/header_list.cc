#include "capture/mask/http/header_list.h"

#include <algorithm>
#include <array>

#include "capture/mask/http/target.h"
#include "ground/http/masked_fields.h"

namespace tailcap::capture::mask {

namespace {

// Fields that describe a message, its way or its place in a trace. None of them is meant to carry a credential. A field
// whose value is free text of an application (cookies, tokens, baggage, locations, referrers) does not belong here.
constexpr auto kStandard = std::to_array<std::string_view>({
    ":authority",
    ":method",
    ":path",
    ":protocol",
    ":scheme",
    ":status",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-patch",
    "accept-post",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "b3",
    "cache-control",
    "cf-cache-status",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
    "correlation-id",
    "date",
    "expect",
    "expires",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-message",
    "grpc-previous-rpc-attempts",
    "grpc-retry-pushback-ms",
    "grpc-status",
    "grpc-timeout",
    "grpc-trace-bin",
    "host",
    "http2-settings",
    "if-modified-since",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "max-forwards",
    "pragma",
    "prefer",
    "priority",
    "proxy-connection",
    "range",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "request-id",
    "retry-after",
    "sec-websocket-extensions",
    "sec-websocket-version",
    "server",
    "server-timing",
    "span-id",
    "sw8",
    "te",
    "trace-id",
    "traceflags",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "uber-trace-id",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "x-amz-request-id",
    "x-amzn-requestid",
    "x-amzn-trace-id",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-cache",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-trace-id",
    "x-envoy-attempt-count",
    "x-envoy-upstream-service-time",
    "x-grpc-web",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "x-request-start",
    "x-response-time",
    "x-runtime",
    "x-span-id",
    "x-trace-id",
    "x-user-agent",
});
static_assert(std::is_sorted(kStandard.begin(), kStandard.end()));

}  // namespace

HeaderList::HeaderList(const Keep& keep) : keep_(keep) {
  for (const auto name : kStandard) values_.emplace(name, Value::kept);
  values_[":path"] = Value::target;
  values_[":authority"] = values_["host"] = Value::authority;
  for (const auto& name : keep.headers) values_.emplace(name, Value::kept);
}

Value HeaderList::of(std::string_view name) const {
  const auto found = values_.find(name);
  return found != values_.end() ? found->second : keep_.header_values ? Value::kept : Value::masked;
}

bool HeaderList::begins_name(std::string_view begin) const {
  if (keep_.header_values) return true;
  const auto* const found = std::lower_bound(kStandard.begin(), kStandard.end(), begin);
  const auto begins = [&](std::string_view name) { return name.starts_with(begin); };
  return (found != kStandard.end() && begins(*found)) ||
         std::any_of(ground::kMaskedFields.begin(), ground::kMaskedFields.end(), begins) ||
         std::any_of(keep_.headers.begin(), keep_.headers.end(), begins);
}

bool HeaderList::judge(Value value, std::string& text, const Extent& extent) const {
  if (value != Value::target && value != Value::authority) {
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(extent.judged), text.end(), '*');
    return true;
  }
  const auto mask = [&](std::string& of) {
    if (value == Value::target)
      mask_target(of, !extent.last, *this);
    else
      mask_authority(of, !extent.last);
  };
  // The cut character may be any one. One that ends the hidden part changes nothing.
  std::string next;
  if (!extent.last) mask(next = text + "a");
  mask(text);
  return next.ends_with('*');
}

bool HeaderList::keeps_query(std::string_view key) const {
  return keep_.all_queries || std::find(keep_.queries.begin(), keep_.queries.end(), key) != keep_.queries.end();
}

std::span<const std::string_view> HeaderList::standard() { return kStandard; }

}  // namespace tailcap::capture::mask
