#include "analyze/report/study/shapes.h"
#include "formats/machine.h"

namespace tailcap::report::study {
namespace {

using model::ListenQueue;
using model::NameStudy;
using model::TlsPeer;

using Failure = std::pair<std::string, std::uint64_t>;
const StudyShape<Failure> kTlsFailure{"tls_failure", {{"cause", &Failure::first}, {"count", &Failure::second}}};
const StudyShape<Failure> kNameFailure{"name_failure", {{"result", &Failure::first}, {"count", &Failure::second}}};

}  // namespace

const StudyShape<TlsPeer>& tls_shape() {
  static const StudyShape<TlsPeer> shape{
      "tls_peer",
      {
          {"role", [](auto& p) { return when(p.role_known, OneOf<model::Role::client>{p.role}); },
           "null: they were open before the recording"},
          {"peer", or_null(&TlsPeer::peer)},
          {"server_name", or_null(&TlsPeer::server_name)},
          {"version", or_null(&TlsPeer::version)},
          {"connections", &TlsPeer::connections},
          {"encrypted", &TlsPeer::encrypted, "without plaintext: their requests are not known"},
          {"handshakes_done", &TlsPeer::done},
          {"handshakes_failed", &TlsPeer::failed},
          {"resumed", &TlsPeer::resumed},
          {"resumed_unknown", &TlsPeer::resumed_unknown},
          {"handshake_median_ns", [](auto& p) { return when(p.timed > 0, p.median); }},
          {"handshakes_timed", &TlsPeer::timed},
          {"bytes_in", &TlsPeer::bytes_in},
          {"bytes_out", &TlsPeer::bytes_out},
          {"failures", kTlsFailure, &TlsPeer::failures, "most first"},
      }};
  return shape;
}

const StudyShape<ListenQueue>& queue_shape() {
  static const StudyShape<ListenQueue> shape{
      "listen_queue",
      {
          {"address", &ListenQueue::address},
          {"pid", [](auto& q) { return when(q.pid != 0, formats::number_of(q.pid)); }},
          {"comm", or_null(&ListenQueue::comm)},
          {"limit", &ListenQueue::limit, "it is full with more connections than this"},
          {"longest", &ListenQueue::longest},
          {"established", &ListenQueue::established, "connections that came through it"},
          {"dropped", &ListenQueue::dropped, "at most"},
          {"from_ns", &ListenQueue::from},
          {"to_ns", &ListenQueue::to},
      }};
  return shape;
}

const StudyShape<NameStudy>& name_shape() {
  static const StudyShape<NameStudy> shape{
      "name",
      {
          {"name", &NameStudy::name},
          {"server", or_null(&NameStudy::server)},
          {"lookups", &NameStudy::lookups},
          {"answered", &NameStudy::answered},
          {"repeated", &NameStudy::repeated, "asked more than once"},
          {"attempts", &NameStudy::attempts, "the largest number of questions for one lookup"},
          {"median_ns", [](auto& n) { return when(n.timed > 0, n.median); }},
          {"longest_ns", [](auto& n) { return when(n.timed > 0, n.longest); }},
          {"failures", kNameFailure, &NameStudy::failures, "most first"},
      }};
  return shape;
}

}  // namespace tailcap::report::study
