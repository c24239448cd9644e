#include "analyze/cli/follow/requests_follow.h"

#include <algorithm>
#include <utility>

#include "analyze/cli/follow/live_reading.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/cli/output/request_line.h"
#include "analyze/report/json/request_json.h"

namespace tailcap::cli {
namespace {

constexpr formats::Duration kPatience = std::chrono::milliseconds{500};

class Printer {
 public:
  explicit Printer(const FollowedRequests& wanted) : wanted_(wanted), filters_(options_of(wanted.selection).filters) {}
  void begin() {
    if (!wanted_.json) out_.line(request_head());
    out_.flush();
  }

  // False: no more are wanted.
  bool print(pipeline::Following& following, formats::Time first, bool all) {
    const model::RequestTable& table = following.table();
    for (const model::Request& row : following.take(all)) {
      model::columns::ColumnFacts facts(table, row);
      facts.clock = &following.clock();
      facts.live = true;
      if (!std::all_of(filters_.begin(), filters_.end(), [&](const query::Filter& f) { return f.matches(facts); }))
        continue;
      ++printed_;
      if (!line(facts, first) || (wanted_.limit > 0 && printed_ >= wanted_.limit)) return false;
    }
    return true;
  }
  void flush() { out_.flush(); }
  std::size_t printed() const { return printed_; }

 private:
  bool line(const model::columns::ColumnFacts& facts, formats::Time first) {
    if (!wanted_.json) return out_.line(request_line(facts, first, wanted_.width));
    report::RequestExtras extras;
    extras.alone = extras.live = true;
    report::append_request(out_.buffer(), facts.table, facts.row, *facts.clock, extras);
    return out_.end_line();
  }

  const FollowedRequests& wanted_;
  const std::vector<query::Filter> filters_;
  LineOutput out_;
  std::size_t printed_ = 0;
};

}  // namespace

int follow_requests(const FollowedRequests& wanted) {
  refuse_later(wanted.selection);
  LiveReading reading("requests", wanted.file);
  Printer printer(wanted);
  bool more = true, begun = false;
  while (more && reading.read(kPatience)) {
    pipeline::Following* const following = reading.following();
    if (following && !std::exchange(begun, true)) printer.begin();
    if (following) more = printer.print(*following, reading.first(), reading.nothing_to_come());
    if (reading.idle()) printer.flush();
  }
  printer.flush();
  if (!more || reading.interrupted()) return kDone;
  if (reading.stopped()) return kIncomplete;
  if (printer.printed() == 0 && !wanted.selection.empty()) return nothing_matches("requests", "request");
  return exit_code(!reading.whole(), "requests");
}

}  // namespace tailcap::cli
