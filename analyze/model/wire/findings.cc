#include "analyze/model/wire/findings.h"

namespace tailcap::model {
namespace {

using enum Severity;

constexpr std::array<FindingText, static_cast<std::size_t>(Finding::count_)> kTexts = {{
    {"bytes_lost", caution, "stream bytes that no event covers"},
    {"connection_began_before", note, "connections that were open when recording began"},
    {"arrival_missing", note, "reads whose arrival was not seen"},
    {"position_overlap", caution, "events that claim bytes already seen"},
    {"socket_unknown", note, "sockets without a description"},
    {"out_of_order_dropped", caution, "early pieces given up at the memory limit"},
    {"negative_interval", defect, "instants in impossible order, clamped"},
    {"tls_unbound", note, "TLS sessions whose connection is not known"},
    {"not_http", note, "connections that carry something other than HTTP"},
    {"malformed_message", caution, "messages that break HTTP's rules"},
    {"head_cut", caution,
     "message heads of which not every byte was kept (see docs/LIMITS.md), or given up unfinished at the memory limit"},
    {"resynchronised", caution, "message borders found again after missing bytes"},
    {"response_without_request", note,
     "responses whose request was not recorded, or of whose request no byte was kept"},
    {"unsolicited_response", note,
     "responses that a server sent without a request (such as 408 on an idle connection); they are not counted as "
     "requests"},
    {"smuggling_framing", caution, "messages with contradictory lengths"},
    {"frames_lost", caution, "places where HTTP/2 frames were lost; header fields compressed before them are unknown"},
    {"streams_given_up", caution, "HTTP/2 streams given up at the memory limit"},
    {"bytes_unseen", caution,
     "connections whose bytes were moved but never captured (splice, sendfile, io_uring, kernel TLS): what they carry "
     "is not "
     "known"},
    {"pipelined", note, "requests sent before the response in front of them was done"},
    {"peer_ambiguous", note, "requests whose other end is not certain"},
    {"partition_mismatch", defect, "requests whose phases do not sum to their duration: a defect of tailcap"},
    {"waits_dropped", caution, "wait history given up at the memory limit"},
    {"route_overflow", caution, "requests folded into the route \"other\" (see --max-routes)"},
    {"trace_context_invalid", note, "requests with trace context that cannot be read (truncated or malformed)"},
    {"trace_context_conflict", caution,
     "requests whose fields name different traces: they are in none; tailcap requests FILE -w 'trace_format == "
     "\"conflicting\"' lists them"},
    {"trace_context_missing", note, "gRPC calls without trace context, of methods whose other calls have it"},
    {"trace_context_late", note, "gRPC calls with trace context only behind their messages"},
}};

}  // namespace

const FindingText& text_of(Finding finding) { return kTexts[static_cast<std::size_t>(finding)]; }

void Findings::add(const Findings& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

}  // namespace tailcap::model
