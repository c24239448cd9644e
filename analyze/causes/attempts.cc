#include "analyze/causes/attempts.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <optional>
#include <tuple>

#include "ground/memory.h"

namespace tailcap::causes {

using formats::known;
using model::AttemptEvidence;
using model::Outcome;
using model::Request;

namespace {

constexpr model::Duration kSoon = std::chrono::seconds{1};
constexpr std::size_t kMaxRecent = 64;   // requests of one kind that a later one may repeat
constexpr std::size_t kMaxPending = 16;  // failed ones of one kind whose repetition may come

// 0: there is no such number.
std::uint32_t previous_attempts(const model::Exchange& e) {
  if (e.protocol != model::Protocol::grpc) return 0;
  const auto field = e.request_headers.find("grpc-previous-rpc-attempts");
  std::uint32_t n = 0;
  if (!field || std::from_chars(field->data(), field->data() + field->size(), n).ptr != field->data() + field->size())
    return 0;
  return n < 1u << 20 ? n : 0;
}

// It had no answer, and its connection had been used before: a server that closes what is idle makes that.
bool unanswered(const model::Exchange& e, bool existed) {
  if (e.outcome != Outcome::no_response && e.outcome != Outcome::reset) return false;
  if (e.reset || e.status != 0 || known(e.response.first_done) || !known(e.request.first_done)) return false;
  return existed || e.id.index > 1 || e.stream > 1;
}

using Kind = std::tuple<std::uint32_t, model::TextId, model::TextId, model::TextId>;

// nullopt: too little is known of it to say that another is the same.
std::optional<Kind> kind_of(const Request& row) {
  if (row.role != model::Role::client || row.pid == 0 || row.method == 0 || row.path == 0 || row.authority == 0 ||
      !known(row.start))
    return std::nullopt;
  return Kind{row.pid, row.method, row.path, row.authority};
}

}  // namespace

void Attempts::push(const model::Exchange& e, bool existed) {
  Noted n;
  n.id = e.id;
  n.previous = previous_attempts(e);
  if (n.previous > 0) {
    n.how = AttemptEvidence::grpc_header;
  } else if (e.role == model::Role::client && e.reset && e.reset->unprocessed) {
    n.how = AttemptEvidence::refused;
    n.failed_at = e.reset->at;
  } else if (e.role == model::Role::client && unanswered(e, existed)) {
    n.how = AttemptEvidence::unanswered;
    n.failed_at = std::max(e.request.first_done, e.request.last_done);
  } else {
    return;
  }
  if (noted_.size() < kMaxNoted) noted_.push_back(n);
}

// Goes through the requests in order of their beginning, those of one kind together.
class Attempts::Search {
 public:
  Search(model::RequestTable& table, std::vector<Noted> noted) : table_(table), noted_(std::move(noted)) {
    std::sort(noted_.begin(), noted_.end(), [](const Noted& a, const Noted& b) { return a.id < b.id; });
  }

  void run() {
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      const Noted* n = noted(i);
      if (!n) continue;
      const Request row = table_.rows[i];
      if (n->previous > 0) number(i, n->previous + 1, {}, AttemptEvidence::grpc_header);
      if (const auto kind = kind_of(row)) kinds_[*kind];
    }
    if (kinds_.empty()) return;
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      const Request row = table_.rows[i];
      const auto kind = kind_of(row);
      const auto at = kind ? kinds_.find(*kind) : kinds_.end();
      if (at != kinds_.end()) visit(at->second, i, row);
    }
    for (auto& [kind, same] : kinds_)
      for (const Pending& p : same.pending) conclude(p);
  }

 private:
  struct Seen {
    std::size_t row = 0;
    bool repeated = false;
  };
  // One that failed, and what was seen that may be its repetition.
  struct Pending {
    std::size_t row = 0;
    const Noted* noted = nullptr;
    std::size_t follower = 0;
    std::size_t followers = 0;
  };
  struct Same {
    std::deque<Seen> recent;
    std::vector<Pending> pending;
  };

  const Noted* noted(std::size_t i) const {
    const model::ExchangeId id = table_.rows.id(i);
    const auto at = std::lower_bound(noted_.begin(), noted_.end(), id,
                                     [](const Noted& n, model::ExchangeId x) { return n.id < x; });
    return at != noted_.end() && at->id == id ? &*at : nullptr;
  }

  void number(std::size_t i, std::uint32_t attempt, model::ExchangeId first, AttemptEvidence how) {
    Request row = table_.rows[i];
    row.attempt = attempt;
    row.attempt_of = first;
    row.attempt_how = how;
    table_.rows.set(i, row);
  }

  void link(std::size_t before, std::size_t after, AttemptEvidence how) {
    const Request first = table_.rows[before];
    if (first.attempt == 0) number(before, 1, {}, how);
    number(after, std::max(first.attempt, 1u) + 1, first.attempt_of.connection != 0 ? first.attempt_of : first.id, how);
  }

  void conclude(const Pending& p) {
    if (p.followers == 1) link(p.row, p.follower, p.noted->how);
  }

  // -1: it cannot be the same call; 1: its x-request-id says that it is.
  int likeness(const Request& before, const Request& after) const {
    // A refused request may not have been sent to its end.
    if (before.request_bytes > after.request_bytes && after.request_bytes >= 0) return -1;
    if (before.request_id == 0 || after.request_id == 0) return before.request_id == after.request_id ? 0 : -1;
    return table_.texts[before.request_id] == table_.texts[after.request_id] ? 1 : -1;
  }

  void visit(Same& same, std::size_t i, const Request& row) {
    const Noted* n = noted(i);
    if (n && n->how == AttemptEvidence::grpc_header) {
      repeats(same, i, row, n->previous);
    } else {
      follows(same, i, row, n != nullptr);
      if (n && same.pending.size() < kMaxPending) same.pending.push_back({i, n, 0, 0});
    }
    same.recent.push_back({i, false});
    if (same.recent.size() > kMaxRecent) same.recent.pop_front();
  }

  // The one attempt before this that was not successful when this began and has not been repeated.
  void repeats(Same& same, std::size_t i, const Request& row, std::uint32_t previous) {
    Seen* only = nullptr;
    for (Seen& seen : same.recent) {
      const Request before = table_.rows[seen.row];
      if (seen.repeated || std::max(before.attempt, 1u) != previous || likeness(before, row) < 0) continue;
      const bool over = before.has_duration && before.start + before.duration <= row.start;
      if (over && before.outcome == Outcome::ok) continue;
      if (only) return;
      only = &seen;
    }
    if (!only) return;
    only->repeated = true;
    link(only->row, i, AttemptEvidence::grpc_header);
  }

  void follows(Same& same, std::size_t i, const Request& row, bool failed) {
    std::erase_if(same.pending, [&](const Pending& p) {
      if (row.start <= p.noted->failed_at + kSoon) return false;
      conclude(p);
      return true;
    });
    std::vector<std::size_t> matching;
    for (std::size_t k = 0; k < same.pending.size(); ++k) {
      if (row.start < same.pending[k].noted->failed_at) continue;  // made before that one failed
      const int like = likeness(table_.rows[same.pending[k].row], row);
      if (like > 0) {
        link(same.pending[k].row, i, same.pending[k].noted->how);
        same.pending.erase(same.pending.begin() + static_cast<std::ptrdiff_t>(k));
        return;
      }
      if (like == 0) matching.push_back(k);
    }
    for (const std::size_t k : matching) {
      Pending& p = same.pending[k];
      p.followers += matching.size();
      p.follower = i;
    }
    // Failed as well: what comes now repeats this one.
    if (failed && matching.size() == 1 && same.pending[matching[0]].followers == 1) {
      conclude(same.pending[matching[0]]);
      same.pending.erase(same.pending.begin() + static_cast<std::ptrdiff_t>(matching[0]));
    }
  }

  model::RequestTable& table_;
  std::vector<Noted> noted_;
  std::map<Kind, Same> kinds_;
};

void Attempts::settle(model::RequestTable& table) {
  if (noted_.empty()) return;
  Search(table, std::move(noted_)).run();
  ground::release(noted_);
}

}  // namespace tailcap::causes
