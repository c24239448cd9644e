#include "analyze/timeline/binding_finder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

#include "formats/event.h"

namespace tailcap::timeline {
namespace {

using model::TraceFormat;

// The field that names the trace; empty: it has no name of its own.
std::string_view field_of(TraceFormat format) {
  switch (format) {
    case TraceFormat::traceparent:
      return "traceparent";
    case TraceFormat::grpc_trace_bin:
      return "grpc-trace-bin";
    case TraceFormat::b3:
      return "b3";
    case TraceFormat::x_b3:
      return "x-b3-traceid";
    case TraceFormat::uber_trace_id:
      return "uber-trace-id";
    case TraceFormat::sw8:
      return "sw8";
    case TraceFormat::x_amzn_trace_id:
      return "x-amzn-trace-id";
    case TraceFormat::none:
    case TraceFormat::trace_id:
    case TraceFormat::conflicting:
      break;
  }
  return {};
}

bool same_name(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y; });
}

bool is_http1(model::Protocol protocol) {
  return protocol == model::Protocol::http10 || protocol == model::Protocol::http11 ||
         protocol == model::Protocol::grpc_web;
}

}  // namespace

BindingFinder::BindingFinder(const model::Request& row, const model::Exchange& exchange,
                             const model::Connection& connection)
    : format_(row.trace_format),
      direction_(row.role == model::Role::server ? formats::Direction::in : formats::Direction::out),
      first_(
          static_cast<std::uint32_t>(connection.base[static_cast<std::size_t>(direction_)] + exchange.request_begin)) {
  const bool tcp = connection.family == formats::Family::inet || connection.family == formats::Family::inet6;
  if (tcp && !row.tls && !connection.tls && row.stream == 0 && is_http1(row.protocol) && !field_of(format_).empty() &&
      exchange.id == row.id)
    socket_ = connection.socket;
}

std::optional<std::int64_t> BindingFinder::place(std::uint32_t sequence, std::uint32_t length) const {
  const std::int64_t at = static_cast<std::int32_t>(sequence - first_);
  if (at + static_cast<std::int64_t>(length) <= 0 || at >= static_cast<std::int64_t>(kMaxHead)) return std::nullopt;
  return at;
}

// Bytes that were there already have come again.
void BindingFinder::add(std::vector<Part>& parts, std::int64_t at, std::uint32_t length, formats::Time time) {
  const Part part{at, at + static_cast<std::int64_t>(length), time};
  if (parts.size() >= kMaxParts || std::any_of(parts.begin(), parts.end(), [&](const Part& p) {
        return p.begin <= part.begin && part.end <= p.end;
      }))
    return;
  const auto after =
      std::upper_bound(parts.begin(), parts.end(), time, [](formats::Time t, const Part& p) { return t < p.time; });
  parts.insert(after, part);
}

void BindingFinder::keep(std::int64_t at, std::string_view bytes) {
  if (at < 0) {
    bytes.remove_prefix(std::min(bytes.size(), static_cast<std::size_t>(-at)));
    at = 0;
  }
  const auto begin = static_cast<std::size_t>(at);
  if (bytes.empty() || begin >= kMaxHead) return;
  bytes = bytes.substr(0, kMaxHead - begin);
  if (head_.size() < begin + bytes.size()) {
    head_.resize(begin + bytes.size());
    known_.resize(head_.size());
  }
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (!known_[begin + i]) {
      head_[begin + i] = bytes[i];
      known_[begin + i] = true;
    }
}

void BindingFinder::push(const formats::Event& event) {
  if (socket_ == 0) return;
  if (const auto* arrival = std::get_if<formats::Arrival>(&event.body)) {
    if (arrival->socket != socket_ || direction_ != formats::Direction::in) return;
    if (const auto at = place(arrival->position, arrival->length)) add(arrived_, *at, arrival->length, event.time);
    return;
  }
  const auto* io = std::get_if<formats::Io>(&event.body);
  if (!io || io->socket != socket_ || io->direction != direction_ || io->length == 0) return;
  const auto at = place(static_cast<std::uint32_t>(io->position), io->length);
  if (!at) return;
  add(done_, *at, io->length, event.time);
  keep(*at, io->head);
  if (io->tail.size() <= io->length) keep(*at + io->length - static_cast<std::int64_t>(io->tail.size()), io->tail);
}

std::optional<model::TraceBinding> BindingFinder::find() const {
  // As far as it is known without a gap.
  const auto gap = static_cast<std::size_t>(std::find(known_.begin(), known_.end(), false) - known_.begin());
  const std::string_view head = std::string_view(head_).substr(0, gap);
  const auto end = head.find("\r\n\r\n");
  const std::string_view name = field_of(format_);
  std::optional<model::TraceBinding> found;
  for (auto line = head.find("\r\n"); line != head.npos && line < end; line = head.find("\r\n", line + 2)) {
    const std::string_view rest = head.substr(line + 2);
    const auto stop = rest.find("\r\n");
    const auto colon = rest.find(':');
    if (stop == rest.npos || colon == rest.npos || colon > stop || !same_name(rest.substr(0, colon), name)) continue;
    const auto last = rest.find_last_not_of(" \t", stop - 1);
    if (found || last == rest.npos || last <= colon)
      return std::nullopt;  // it is not known here which of the two was used
    model::TraceBinding& out = found.emplace();
    out.field = rest.substr(0, colon);
    out.byte = line + 2 + last;
    out.sequence = first_ + static_cast<std::uint32_t>(out.byte);
    const auto byte = static_cast<std::int64_t>(out.byte);
    const auto head_end = static_cast<std::int64_t>(end == head.npos ? gap : end + 4);
    for (const Part& part : direction_ == formats::Direction::in ? arrived_ : done_) {
      if (part.begin >= head_end) continue;
      ++out.parts;
      if (out.part == 0 && part.begin <= byte && byte < part.end) {
        out.part = out.parts;
        out.at = part.time;
      }
    }
    if (out.part == 0) out.parts = 0;  // an arrival was not seen, so its number is not known
    if (direction_ == formats::Direction::in)
      for (const Part& part : done_)
        if (!formats::known(out.read) && part.begin <= byte && byte < part.end) out.read = part.time;
  }
  return found;
}

}  // namespace tailcap::timeline
