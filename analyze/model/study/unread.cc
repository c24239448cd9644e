#include "analyze/model/study/unread.h"

#include <algorithm>

namespace tailcap::model {

bool leaves_requests_out(std::string_view note) { return note.starts_with(kUnrecorded) && !note.ends_with(".udp"); }

bool some_left_out(const Quality& quality) {
  return std::ranges::any_of(quality.preamble.notes, [](const auto& note) { return leaves_requests_out(note.first); });
}

bool all_read(const Quality& quality) {
  return !some_left_out(quality) && quality.connections_unread == 0 && quality.findings[Finding::bytes_unseen] == 0 &&
         std::ranges::all_of(quality.processes, &ProcessSummary::recorded);
}

}  // namespace tailcap::model
