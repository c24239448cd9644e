#include <algorithm>
#include <string>

#include "analyze/model/label_group.h"
#include "analyze/sql/request_rows.h"

namespace tailcap::sql {
namespace {

using model::Label;

std::string_view blocker_kind(Label label, const model::Culprit& c) {
  const std::string_view name = model::name_of(label);
  if (label == Label::sched_throttled) return c.what != 0 ? "cpu_quota" : "";
  if (name.starts_with("down.") || label == Label::net_unknown_socket)
    return c.request.connection != 0 ? "call" : c.what != 0 ? "peer" : "";
  if (model::names_peer(label)) return c.request.connection != 0 ? "request" : c.what != 0 ? "peer" : "";
  if (name.starts_with("lock.")) return c.what != 0 ? "lock" : c.tid != 0 ? "thread" : "";
  if (name.starts_with("io.")) return c.what != 0 ? "device" : "";
  if (c.request.connection != 0) return "request";
  return c.tid != 0 ? "thread" : "";
}

}  // namespace

void insert_accounts(Database& database, const RequestFacts& facts) {
  Inserter out(database, "account");
  for (std::size_t i = 0; i < facts.table.rows.size(); ++i) {
    const std::string id = id_text(facts.table.rows.id(i)), trace = model::trace_hex(facts.traces[i].context);
    for (const model::AccountPart& part : facts.table.partitions.parts(facts.table.rows.id(i))) {
      out.text(id);
      out.text(trace);
      out.text(model::name_of(part.phase));
      out.text(model::name_of(part.label));
      out.text(model::name_of(model::group_of(part.label)));
      out.text(model::name_of(part.evidence));
      out.integer(part.time);
      out.end_row();
    }
  }
}

void insert_segments(Database& database, const RequestFacts& facts, std::span<const model::Course> courses) {
  std::vector<std::pair<model::ExchangeId, std::uint32_t>> places;
  places.reserve(facts.table.rows.size());
  for (std::uint32_t i = 0; i < facts.table.rows.size(); ++i) places.emplace_back(facts.table.rows.id(i), i);
  std::sort(places.begin(), places.end());
  Inserter out(database, "segment");
  for (const model::Course& course : courses) {
    const auto at = std::lower_bound(places.begin(), places.end(), std::pair{course.request, 0u});
    if (at == places.end() || at->first != course.request) continue;
    // Only of a request whose duration is known: those of others are not whole.
    if (!facts.table.rows.has_duration(at->second)) continue;
    const std::string id = id_text(course.request), trace = model::trace_hex(facts.traces[at->second].context);
    for (const model::LabelledStretch& s : course.stretches) {
      const model::Culprit& c = s.culprit;
      const std::string by = c.request.connection == 0 ? "" : id_text(c.request);
      const model::Utid utid = c.tid == 0 ? 0 : facts.thread(c.tid, s.from);
      out.text(id);
      out.text(trace);
      out.time(s.from);
      out.integer((s.to - s.from).count());
      out.text(model::name_of(s.label));
      out.text(model::name_of(model::group_of(s.label)));
      out.text(model::name_of(s.evidence));
      out.text_or_null(blocker_kind(s.label, c));
      out.integer_if(utid != 0, utid);
      out.text_or_null(by);
      const model::SocketPeer* const peer = model::peer_of(c, facts.table.partitions.peers());
      out.integer_if(c.what != 0 && !peer && s.label != Label::q_pool && s.label != Label::sched_stopped,
                     static_cast<std::int64_t>(c.what));
      out.text_or_null(model::lock_of(c, facts.table.partitions.locks()));
      out.text_or_null(peer ? peer->address : std::string());
      out.text_or_null(peer ? peer->process : std::string());
      out.end_row();
    }
  }
}

}  // namespace tailcap::sql
