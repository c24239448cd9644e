#include "analyze/views/export/pcapng.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "analyze/export/pcapng.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/pipeline/wire/wire.h"
#include "analyze/report/words/words.h"
#include "analyze/spans/identities.h"
#include "analyze/views/export/missing_bytes.h"

namespace tailcap::views {
namespace {

using exports::TcpSegment;
using model::ByteRun;
using model::Connection;
using model::ConnectionId;

struct Beginning {
  std::uint64_t offset = 0;
  model::ExchangeId id;
  bool in = false;  // the request comes in
};

// Where requests begin in the streams of their connections.
std::unordered_map<ConnectionId, std::vector<Beginning>> beginnings_of(const std::string& file,
                                                                       const pipeline::Options& options) {
  std::unordered_map<ConnectionId, std::vector<Beginning>> out;
  pipeline::ExchangeWire wire;
  pipeline::Replay(file, options.threads, options.progress).each([&](const formats::Event& event) {
    for (const ByteRun& run : wire.push(event))
      wire.exchanges(run, [&](const model::Exchange& e) {
        out[e.id.connection].push_back({e.request_begin, e.id, e.role == model::Role::server});
      });
  });
  for (auto& [id, all] : out)
    std::sort(all.begin(), all.end(), [](const Beginning& a, const Beginning& b) { return a.offset < b.offset; });
  return out;
}

// Connections that are written: TCP with known addresses, one end of those of which both were recorded, and sessions
// in place of what carries them.
std::unordered_set<ConnectionId> written_of(const pipeline::Analysis& analysis, const pipeline::Options& chosen,
                                            const pipeline::Wanted& wanted) {
  std::unordered_set<ConnectionId> asked, carriers, out;
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i)
    if (wanted(analysis.table, i)) asked.insert(analysis.table.rows.id(i).connection);
  std::map<std::pair<std::string, std::string>, ConnectionId> clients;
  const auto tcp = [](const Connection& c) {
    return (c.family == formats::Family::inet || c.family == formats::Family::inet6) && c.remote.port != 0;
  };
  for (const Connection& c : analysis.connections) {
    if (c.tls && c.carrier != 0) carriers.insert(c.carrier);
    if (tcp(c) && c.origin == formats::Origin::connected)
      clients[{model::endpoint(c, false), model::endpoint(c, true)}] = c.id;
  }
  const bool all = chosen.filters.empty() && !chosen.from && !chosen.to;
  for (const Connection& c : analysis.connections) {
    if (!tcp(c) || carriers.contains(c.id) || (!all && !asked.contains(c.id))) continue;
    const bool served = c.origin != formats::Origin::connected;
    if (served && clients.contains({model::endpoint(c, true), model::endpoint(c, false)})) continue;
    out.insert(c.id);
  }
  return out;
}

class PacketWriter {
 public:
  PacketWriter(exports::Pcapng& out, const model::WallClock& clock, const MissingBytes& missing)
      : out_(out), clock_(clock), missing_(missing) {}

  // begins: of the requests in this run, by offset, with their comments.
  void add(const ByteRun& run, const Connection& c, std::span<const std::pair<std::uint64_t, std::string>> begins) {
    const bool in = run.direction == model::Direction::in;
    TcpSegment s;
    s.time = formats::known(run.done) ? clock_.realtime(run.done) : last_;
    last_ = s.time;
    s.family = c.family;
    s.from = in ? c.remote : c.local;
    s.to = in ? c.local : c.remote;
    Ends& ends = ends_[run.connection];
    s.acknowledged = static_cast<std::uint32_t>(1 + ends.next[in ? 0 : 1]);
    const std::uint64_t middle = run.length - std::min<std::uint64_t>(run.length, run.tail.size());
    std::uint64_t at = 0;
    const auto pieces = [&](std::uint64_t end, std::string_view captured) {
      while (at < end) {
        s.length = static_cast<std::uint32_t>(std::min<std::uint64_t>(end - at, TcpSegment::kLongest));
        s.captured = captured.substr(0, s.length);
        captured.remove_prefix(s.captured.size());
        s.sequence = static_cast<std::uint32_t>(1 + run.offset + at);
        s.comment.clear();
        for (const auto& [offset, comment] : begins)
          if (offset >= run.offset + at && offset < run.offset + at + s.length)
            s.comment += (s.comment.empty() ? "" : "; ") + comment;
        fill(s, run.connection, in, run.offset + at, ends.row[in ? 1 : 0]);
        out_.add(s);
        at += s.length;
      }
    };
    pieces(std::min<std::uint64_t>(run.head.size(), run.length), run.head);
    pieces(middle, {});
    pieces(run.length, run.tail);
    ends.next[in ? 1 : 0] = run.offset + run.length;
    if (run.end != model::End::fin && run.end != model::End::reset) return;
    s.length = 0;
    s.captured = {};
    s.comment.clear();
    s.sequence = static_cast<std::uint32_t>(1 + run.offset + run.length);
    (run.end == model::End::fin ? s.fin : s.reset) = true;
    out_.add(s);
  }

 private:
  struct Ends {
    std::uint64_t next[2] = {0, 0};  // out, in
    std::uint64_t row[2] = {0, 0};   // where the missing bytes in a row began
  };

  // Puts zeros where bytes are not in the capture, or cuts a head short, and says so. offset: of the segment.
  void fill(TcpSegment& s, model::ConnectionId connection, bool in, std::uint64_t offset, std::uint64_t& row) {
    const auto say = [&](const std::string& what) { s.comment += (s.comment.empty() ? "" : "; ") + what; };
    if (!s.captured.empty()) row = offset + s.captured.size();
    if (!s.captured.empty() && missing_.cuts(connection, in, row)) {
      s.captured.remove_suffix(1);
      return say("a long body was not recorded; the last byte of the head is left out, so that it is shown");
    }
    const std::uint64_t missing = s.length - s.captured.size();
    if (missing == 0 || !missing_.fills(connection, in, row)) return;
    filled_ = s.captured;
    filled_.resize(s.length, '\0');
    s.captured = filled_;
    say(std::to_string(missing) + " bytes not recorded, zeros here");
  }

  exports::Pcapng& out_;
  const model::WallClock& clock_;
  const MissingBytes& missing_;
  std::string filled_;
  std::unordered_map<ConnectionId, Ends> ends_;
  std::int64_t last_ = 0;
};

// Comments of the chosen requests.
std::unordered_map<std::uint64_t, std::string> comments_of(const pipeline::Analysis& analysis,
                                                           const pipeline::Wanted& wanted) {
  std::vector<spans::ForeignSpan> none;
  const spans::Identities ids = spans::identities_of(analysis.table, none);
  std::unordered_map<std::uint64_t, std::string> out;
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i) {
    if (!wanted(analysis.table, i)) continue;
    const model::Request row = analysis.table.rows[i];
    std::string text = "request " + report::id_text(row.id);
    if (row.peer.connection != 0) text += ", " + report::id_text(row.peer) + " at the other end";
    text += ": " + report::request_title(row, analysis.table.texts) + " " +
            report::outcome_text(row, analysis.table.texts[row.store.error_code]) + ", trace " +
            model::trace_hex(ids.rows[i].context);
    out[std::uint64_t{row.id.connection} << 32 | row.id.index] = std::move(text);
  }
  return out;
}

}  // namespace

Exported export_pcapng(const std::string& file, const pipeline::Options& chosen, std::string_view version,
                       const Write& write) {
  Exported out;
  out.what = "packets";
  out.why = "their connection is no TCP connection of known addresses";
  pipeline::Options options = of_all(chosen);
  options.keep_connections = true;
  const pipeline::Analysis analysis = analysed(file, options, out);
  need_clock(file, analysis, "packets");
  const pipeline::Wanted wanted(chosen, analysis);
  const auto written = written_of(analysis, chosen, wanted);
  const auto comments = comments_of(analysis, wanted);
  const auto beginnings = beginnings_of(file, options);
  std::unordered_map<ConnectionId, const Connection*> facts;
  for (const Connection& c : analysis.connections)
    if (written.contains(c.id)) facts[c.id] = &c;
  exports::Pcapng packets(write, version);
  MissingBytes missing;
  const auto each_run = [&](const auto& take) {
    pipeline::Wire wire;
    pipeline::Replay(file, options.threads, options.progress).each([&](const formats::Event& event) {
      for (const ByteRun& run : wire.push(event)) take(run);
    });
  };
  each_run([&](const ByteRun& run) {
    if (facts.contains(run.connection)) missing.look(run);
  });
  PacketWriter writer(packets, analysis.study.quality.clock, missing);
  std::uint64_t named = 0;
  const auto write_run = [&](const ByteRun& run) {
    const auto fact = facts.find(run.connection);
    if (fact == facts.end()) return;
    std::vector<std::pair<std::uint64_t, std::string>> begins;
    if (const auto found = beginnings.find(run.connection); found != beginnings.end()) {
      const auto& all = found->second;
      for (auto at = std::lower_bound(all.begin(), all.end(), run.offset,
                                      [](const Beginning&b, std::uint64_t offset) { return b.offset < offset; });
           at != all.end() && at->offset < run.offset + run.length; ++at) {
        const auto comment = comments.find(std::uint64_t{at->id.connection} << 32 | at->id.index);
        if (at->in != (run.direction == model::Direction::in) || comment == comments.end()) continue;
        begins.emplace_back(at->offset, comment->second);
        ++named;
      }
    }
    writer.add(run, *fact->second, begins);
  };
  each_run(write_run);
  out.requests = named;
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i) {
    const model::ExchangeId id = analysis.table.rows.id(i), peer = analysis.table.rows.peer(i);
    if (wanted(analysis.table, i) && !written.contains(id.connection) &&
        (peer.connection == 0 || !written.contains(peer.connection)))
      ++out.left_out;
  }
  return out;
}

}  // namespace tailcap::views
