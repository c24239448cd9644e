#include "analyze/cli/follow/requests_follow.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/cli/output/request_line.h"
#include "analyze/cli/output/signals.h"
#include "analyze/pipeline/following.h"
#include "analyze/query/later.h"
#include "analyze/report/json/request_json.h"
#include "formats/bounds/read_limits.h"
#include "formats/follow/recording.h"

namespace tailcap::cli {
namespace {

using namespace std::chrono_literals;

constexpr formats::Duration kPatience = 500ms;
// Where nothing more is recorded for so long, nothing more was lost either.
constexpr int kSilences = 4;

void refuse_later(const Selection& selection) {
  if (!selection.routes.empty() || !selection.templates.empty())
    throw UsageError("with --follow, routes are not known yet; select by -w 'path matches \"/users/*\"'");
  if (!selection.from.empty() || !selection.to.empty())
    throw UsageError("--follow prints requests as they end: no --from and --to");
  for (const std::string& expression : selection.filters)
    if (const std::string field = query::later_field(expression); !field.empty())
      throw UsageError("with --follow, '" + field + "' is not known yet: it is decided when the recording has ended");
}

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

bool too_much(const pipeline::Following* following) {
  const auto& limits = formats::read_limits();
  const bool memory = formats::resident_bytes() > limits.memory;
  if (!memory && (!following || following->table().rows.size() <= limits.requests)) return false;
  complain("requests", std::string("ends here: ") + (memory ? formats::text_of(formats::StopReason::memory)
                                                            : formats::text_of(formats::StopReason::requests)));
  return true;
}

}  // namespace

int follow_requests(const FollowedRequests& wanted) {
  refuse_later(wanted.selection);
  end_at_signals();
  formats::FollowedRecording file(wanted.file);
  Printer printer(wanted);
  std::optional<pipeline::Following> following;
  formats::CaptureState state = formats::CaptureState::recording;
  bool more = true, stopped = false;
  int silences = 0;
  while (more && !stopped && !file.ended() && !ended_by_signal()) {
    const auto events = file.next(kPatience);
    if (!following && file.preamble()) {
      following.emplace(*file.preamble());
      printer.begin();
    }
    for (const formats::Event& event : events) {
      following->push(event);
      if (const auto* end = std::get_if<formats::CaptureEnd>(&event.body)) state = end->state;
    }
    silences = events.empty() ? silences + 1 : 0;
    if (following) more = printer.print(*following, file.first(), file.ended() || silences >= kSilences);
    if (events.empty() || file.ended()) printer.flush();
    stopped = too_much(following ? &*following : nullptr);
  }
  printer.flush();
  if (!more || ended_by_signal()) return kDone;
  if (stopped) return kIncomplete;
  if (printer.printed() == 0 && !wanted.selection.empty()) return nothing_matches("requests", "request");
  const bool whole = state == formats::CaptureState::complete && file.damaged() == 0 && following->lost() == 0;
  return exit_code(!whole, "requests");
}

}  // namespace tailcap::cli
