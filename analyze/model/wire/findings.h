// Counts of errors and omissions. Never exceptions: bytes from the wire are not an error of ours.
//
// Every stage owns a Findings and the pipeline adds them up; the report's first lines show them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailcap::model {

enum class Severity : std::uint8_t {
  note,     // worth knowing, changes no number
  caution,  // some requests are marked for it
  defect,   // a contradiction: recorder, kernel or tailcap is wrong somewhere
};
constexpr std::string_view name_of(Severity severity) {
  constexpr std::string_view names[] = {"note", "caution", "defect"};
  return names[static_cast<std::size_t>(severity)];
}

// Add new ones at the end of their stage's group, and their text in findings.cc.
enum class Finding : std::uint16_t {
  // streams
  bytes_lost,  // stream bytes that no event covers
  connection_began_before,
  arrival_missing,
  position_overlap,      // two sends or reads claim the same bytes
  socket_unknown,        // I/O of a socket without a SocketInfo
  out_of_order_dropped,  // held pieces given up at the memory limit
  negative_interval,
  tls_unbound,  // TLS sessions without a known socket
  // protocols
  not_http,  // connections that carry something else
  malformed_message,
  head_cut,        // heads of which not every byte was kept
  resynchronised,  // message borders found again after a gap
  response_without_request,
  unsolicited_response,  // the server sent it without a request
  smuggling_framing,     // Content-Length and Transfer-Encoding together, or conflicting lengths
  frames_lost,           // HTTP/2: frames of unknown number and kind, header compression uncertain from there
  streams_given_up,      // HTTP/2: at the memory limit
  bytes_unseen,          // connections whose bytes moved without passing through a program's memory
  // exchanges and causes
  pipelined,
  peer_ambiguous,
  // timeline
  partition_mismatch,  // phases do not sum to the duration: a defect of tailcap
  waits_dropped,       // wait history given up at the memory limit
  // tail
  route_overflow,          // routes folded into "(other)"
  trace_context_invalid,   // a field that should say to which trace a request belongs does not
  trace_context_conflict,  // fields of one request name different traces: none of them is believed
  trace_context_missing,   // gRPC: other calls of the method have one
  trace_context_late,      // gRPC: only in the request's trailers
  count_,
};

struct FindingText {
  std::string_view name;  // stable, snake_case, as in --json
  Severity severity;
  std::string_view text;  // what it means, for people
};
const FindingText& text_of(Finding finding);

class Findings {
 public:
  void add(Finding finding, std::uint64_t n = 1) { counts_[static_cast<std::size_t>(finding)] += n; }
  std::uint64_t operator[](Finding finding) const { return counts_[static_cast<std::size_t>(finding)]; }
  void add(const Findings& other);

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Finding::count_)> counts_{};
};

}  // namespace tailcap::model
