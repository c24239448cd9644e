#include "analyze/tail/verdict/failing.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "analyze/model/wire/http2_errors.h"
#include "analyze/tail/verdict/pattern.h"
#include "analyze/tail/verdict/traits.h"

namespace tailcap::tail::verdict {
namespace {

using formats::Time;
using model::FailedEnd;
using model::FailureCause;
using model::Request;
using model::Trouble;
using model::TroubleKind;
using model::VerdictLevel;

constexpr std::uint64_t kNotable = 3, kSevere = 10;           // requests
constexpr double kNotableShare = 0.001, kSevereShare = 0.05;  // of the route's
constexpr std::size_t kFailedExamples = 3;
constexpr double kLeastFailedShare = 0.1;  // of the failed requests: causes of fewer are left out
constexpr double kByThread = 0.5;          // of the failed requests: the share that has a trouble in its own thread
constexpr std::size_t kCauses = 3;
constexpr std::size_t kMessages = 64;                                   // different texts of one end that are counted
constexpr formats::Duration kGivenUp = std::chrono::milliseconds{100};  // after the answer, its connect is given up
constexpr std::size_t kKeys = 4096;                                     // different causes that are counted
constexpr std::size_t kTroublesLookedAt = 1000;                         // while one request was under way

// A connection that ended without an answer has no end of the request in the capture.
Time end_of(const Request& r, Time last) {
  if (r.has_duration) return r.start + r.duration;
  if (r.reset_after >= 0) return r.start + formats::Duration{r.reset_after};
  if (r.first_byte.count() >= 0) return r.start + r.first_byte;
  return model::failed(r) ? r.start : last;
}

using EndKey = std::tuple<std::uint16_t, std::int32_t, model::Outcome, model::TextId>;

EndKey end_key(const Request& r) { return {r.status, r.grpc_status, r.outcome, r.store.error_code}; }

// Requests that ended alike, and what gRPC servers said of them.
struct Ends {
  std::uint64_t requests = 0;
  std::map<model::TextId, std::uint64_t> messages;  // the first kMessages
};

void add_end(const Request& r, std::map<EndKey, Ends>& ends) {
  Ends& end = ends[end_key(r)];
  ++end.requests;
  const model::TextId message = r.grpc.message;
  if (message != 0 && (end.messages.size() < kMessages || end.messages.contains(message))) ++end.messages[message];
}

std::vector<FailedEnd> ends_of(const std::map<EndKey, Ends>& counts, const model::TextPool& texts) {
  std::vector<FailedEnd> out;
  for (const auto& [key, end] : counts) {
    FailedEnd& one = out.emplace_back();
    model::TextId error_code = 0;
    std::tie(one.status, one.grpc_status, one.outcome, error_code) = key;
    one.error_code = texts[error_code];
    one.requests = end.requests;
    for (const auto& [message, n] : end.messages)
      if (n > one.with_message) {
        one.with_message = n;
        one.message = texts[message];
      }
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.requests > b.requests; });
  return out;
}

std::string how_it_ended(const model::Incident& i) {
  if (i.out_of_memory) return "out of memory";
  const char* const name = i.signal != 0 ? sigabbrev_np(i.signal) : nullptr;
  if (i.panic) return "panic";
  return name            ? std::string("SIG") + name
         : i.signal != 0 ? "signal " + std::to_string(i.signal)
                         : "exit code " + std::to_string(i.exit_code);
}

class Failing {
 public:
  Failing(const std::vector<std::uint32_t>& rows, const VerdictContext& around)
      : around_(around), table_(around.table) {
    for (const std::uint32_t row : rows) {
      const Request r = table_.rows[row];
      if (r.outcome == model::Outcome::in_flight || r.outcome == model::Outcome::unknown) continue;
      (model::failed(r) ? failed_ : others_).push_back(row);
    }
    if (!around.study.troubles.empty()) last_trouble_ = around.study.troubles.back().at;
    for (const model::Incident& i : around.study.incidents)
      if (i.kind == model::IncidentKind::ended)
        for (const model::ExchangeId id : i.requests) ended_.emplace(id, &i);
  }

  std::optional<model::Verdict> run() {
    if (failed_.empty() || listed_elsewhere()) return std::nullopt;
    model::Verdict out;
    out.kind = model::VerdictKind::failing;
    out.requests = failed_.size();
    out.of = failed_.size() + others_.size();
    std::map<EndKey, Ends> ends;
    std::vector<model::Crowd::Interval> spans;
    for (const std::uint32_t row : failed_) {
      const Request r = table_.rows[row];
      add_end(r, ends);
      if (out.examples.size() < kFailedExamples) out.examples.push_back(r.id);
      if (formats::known(r.start))
        spans.push_back({formats::nanoseconds(r.start), formats::nanoseconds(end_of(r, r.start))});
    }
    out.ends = ends_of(ends, table_.texts);
    if (!spans.empty()) note_pattern(std::move(spans), around_.study, out);
    find_causes(out);
    out.shared = shared(out.when.size());
    const double share = static_cast<double>(out.requests) / static_cast<double>(out.of);
    out.level = VerdictLevel::note;
    if (out.requests >= kNotable && share >= kNotableShare) out.level = VerdictLevel::notable;
    if (out.requests >= kSevere && share >= kSevereShare) out.level = VerdictLevel::severe;
    if (std::ranges::all_of(failed_, [&](std::uint32_t row) { return left_unread(row); }))
      out.level = VerdictLevel::note;
    return out;
  }

 private:
  // A call whose server is recorded is listed there.
  bool listed_elsewhere() const {
    return std::all_of(failed_.begin(), failed_.end(), [&](std::uint32_t row) {
      return table_.rows.role(row) == model::Role::client && table_.rows.peer(row).connection != 0;
    });
  }

  // A call whose caller read the head of a good answer, closed the connection, and succeeded itself: a proxy that only
  // asks whether a request is allowed.
  bool left_unread(std::uint32_t row) const {
    const Request r = table_.rows[row];
    const bool good = r.status >= 200 && r.status < 400;
    if (r.role != model::Role::client || r.outcome != model::Outcome::truncated || !good) return false;
    const model::Cause* const cause = table_.causes.find(r.id);
    const auto parent = cause ? around_.links.row_of(cause->parent) : std::nullopt;
    return parent && table_.all().outcome(*parent) == model::Outcome::ok;
  }

  using Key = std::tuple<TroubleKind, std::string, std::string>;
  struct Count {
    std::uint64_t failed = 0, others = 0;
    std::map<EndKey, Ends> ends;  // of calls
    model::ExchangeId example = {};
    std::int64_t idle = -1;
  };

  void find_causes(model::Verdict& out) {
    const bool by_thread = static_cast<double>(count_troubled()) >= kByThread * static_cast<double>(failed_.size());
    for (const bool fails : {true, false})
      for (const std::uint32_t row : fails ? failed_ : others_) {
        add_troubles(row, fails, by_thread);
        add_calls(row, fails);
        add_uses(row, fails);
        add_ended(row, fails);
      }
    for (const auto& [key, count] : counts_) {
      if (static_cast<double>(count.failed) < kLeastFailedShare * static_cast<double>(failed_.size())) continue;
      const auto ends = ends_of(count.ends, table_.texts);
      out.causes.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), ends.empty() ? FailedEnd{} : ends[0],
                            count.failed, count.others, by_thread, count.example, count.idle});
    }
    std::stable_sort(out.causes.begin(), out.causes.end(), [&](const FailureCause& a, const FailureCause& b) {
      if (a.failed != b.failed) return a.failed > b.failed;
      if (a.others != b.others) return a.others < b.others;
      // What else failed is why a call did; and the end of a process comes before all that follows from it.
      const auto rank = [](TroubleKind kind) {
        return kind == TroubleKind::ended ? 0 : kind == TroubleKind::call ? 2 : 1;
      };
      return rank(a.kind) < rank(b.kind);
    });
    if (out.causes.size() > kCauses) out.causes.resize(kCauses);
  }

  // Requests that failed while something else failed in their thread.
  std::uint64_t count_troubled() const {
    std::uint64_t n = 0;
    for (const std::uint32_t row : failed_) {
      bool any = false;
      each_trouble(row, true, [&](const Trouble&) { any = true; });
      n += any;
    }
    return n;
  }

  template <typename Visit>
  void each_trouble(std::uint32_t row, bool by_thread, Visit visit) const {
    const Request r = table_.rows[row];
    if (r.role != model::Role::server || !formats::known(r.start)) return;
    const auto& all = around_.study.troubles;
    const Time end = end_of(r, last_trouble_);
    auto at =
        std::lower_bound(all.begin(), all.end(), r.start, [](const Trouble& t, Time time) { return t.at < time; });
    for (std::size_t n = 0; at != all.end() && at->at <= end + kGivenUp && n < kTroublesLookedAt; ++at, ++n) {
      if (at->request.connection != 0) {
        if (at->request == r.id) visit(*at);
        continue;
      }
      if (at->at > end || at->thread.pid != r.pid) continue;
      // Threads of a Go program work for all of its requests.
      if (!by_thread || (at->thread.tid == r.tid && at->goroutine == 0)) visit(*at);
    }
  }

  void add(std::set<Key>& seen, Key key, bool fails, const Request* call) {
    if (!counts_.contains(key) && counts_.size() >= kKeys) return;
    Count& count = counts_[key];
    if (call && fails) {
      add_end(*call, count.ends);
      if (count.example.connection == 0) count.example = call->id;
    }
    if (seen.insert(std::move(key)).second) ++(fails ? count.failed : count.others);
  }

  void add_troubles(std::uint32_t row, bool fails, bool by_thread) {
    std::set<Key> seen;
    each_trouble(row, by_thread, [&](const Trouble& t) { add(seen, {t.kind, t.what, t.cause}, fails, nullptr); });
  }

  void add_calls(std::uint32_t row, bool fails) {
    std::set<Key> seen;
    for (const auto& [parent, id] : around_.links.calls_of(table_.rows.id(row))) {
      const auto at = around_.links.row_of(id);
      if (!at) continue;
      const Request call = table_.all()[*at];
      if (!model::failed(call) || is_setup(call.protocol)) continue;  // a set-up is among the troubles
      std::string what = std::string(table_.texts[call.method]) + " " + std::string(table_.texts[call.route]);
      if (call.authority != 0) what += " at " + std::string(table_.texts[call.authority]);
      add(seen, {TroubleKind::call, std::move(what), ""}, fails, &call);
    }
  }

  // The connections of the request itself, where it is a call, and of its calls.
  void add_uses(std::uint32_t row, bool fails) {
    std::set<Key> seen;
    add_use(seen, table_.rows[row], fails);
    if (table_.rows.role(row) == model::Role::client) return;
    for (const auto& [parent, id] : around_.links.calls_of(table_.rows.id(row)))
      if (const auto at = around_.links.row_of(id)) add_use(seen, table_.all()[*at], fails);
  }

  void add_use(std::set<Key>& seen, const Request& call, bool fails) {
    if (!model::failed(call)) return;
    const model::ConnectionUse use = table_.uses.find(call.id);
    const model::TextId remote =
        call.id.connection < table_.remotes.size() ? table_.remotes[call.id.connection] : model::TextId{0};
    const bool client = call.role == model::Role::client;
    std::string what(client ? table_.texts[use.peer != 0 ? use.peer : remote] : std::string_view("the service"));
    if (use.closed >= 0 && model::broke_off(call)) {
      Key key{TroubleKind::stale, what, ""};
      add(seen, key, fails, nullptr);
      if (const auto at = counts_.find(key); at != counts_.end() && fails) {
        at->second.idle = std::max(at->second.idle, use.idle);
        if (at->second.example.connection == 0) at->second.example = call.id;
      }
    }
    if (use.goaway) add(seen, {TroubleKind::goaway, std::move(what), model::http2_error(*use.goaway)}, fails, nullptr);
  }

  // The process ended while it worked on the request.
  void add_ended(std::uint32_t row, bool fails) {
    const auto at = ended_.find(table_.rows.id(row));
    if (at == ended_.end()) return;
    std::set<Key> seen;
    add(seen, {TroubleKind::ended, at->second->comm, how_it_ended(*at->second)}, fails, nullptr);
  }

  std::vector<model::SharedTrait> shared(std::uint64_t bursts) const {
    std::vector<slow::Item> items;
    slow::Cohorts cohorts;
    for (const auto* rows : {&others_, &failed_})
      for (const std::uint32_t row : *rows) {
        cohorts.order.push_back(static_cast<std::uint32_t>(items.size()));
        slow::Item& item = items.emplace_back();
        item.row = row;
        if (table_.rows.has_duration(row)) item.duration = table_.rows.duration(row).count();
      }
    cohorts.slow = failed_.size();
    std::vector<model::SharedTrait> out = shared_traits(items, cohorts, bursts, table_, around_.links);
    // The answer to a request that failed has a size of its own.
    std::erase_if(out, [](const auto& trait) { return trait.kind == model::SharedTrait::Kind::response_size; });
    return out;
  }

  const VerdictContext& around_;
  const model::RequestTable& table_;
  std::vector<std::uint32_t> failed_, others_;
  Time last_trouble_ = formats::kNoTime;
  std::map<model::ExchangeId, const model::Incident*> ended_;  // by requests that were under way then
  std::map<Key, Count> counts_;
};

}  // namespace

std::optional<model::Verdict> failing_verdict(const std::vector<std::uint32_t>& rows, const VerdictContext& around) {
  return Failing(rows, around).run();
}

}  // namespace tailcap::tail::verdict
