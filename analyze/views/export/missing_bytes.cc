#include "analyze/views/export/missing_bytes.h"

#include <algorithm>

namespace tailcap::views {

void MissingBytes::captured(Row& row, std::string_view bytes, std::uint64_t end) const {
  if (bytes.empty()) return;
  constexpr std::size_t kKept = 4;  // an empty line and the end of the line before it
  row.before += bytes.substr(bytes.size() - std::min(bytes.size(), kKept));
  if (row.before.size() > kKept) row.before.erase(0, row.before.size() - kKept);
  row.begin = end;
  row.length = 0;
}

void MissingBytes::look(const model::ByteRun& run) {
  const bool in = run.direction == model::Direction::in;
  Row& row = rows_[in][run.connection];
  const std::uint64_t head = std::min<std::uint64_t>(run.head.size(), run.length);
  const std::uint64_t tail = std::min<std::uint64_t>(run.tail.size(), run.length - head);
  captured(row, run.head.substr(0, head), run.offset + head);
  if (const std::uint64_t missing = run.length - head - tail; missing > 0) {
    row.length += missing;
    const bool within = row.before.ends_with("\r\n") && !row.before.ends_with("\r\n\r\n");
    if (row.length > (within ? kMostWithin : kMostFilled) && long_.size() < kMostRows) {
      long_.insert({run.connection, in, row.begin});
      if (row.before.ends_with("\r\n\r\n")) heads_.insert({run.connection, in, row.begin});
    }
  }
  captured(row, run.tail.substr(run.tail.size() - tail), run.offset + run.length);
}

bool MissingBytes::cuts(model::ConnectionId connection, bool in, std::uint64_t offset) const {
  return heads_.contains({connection, in, offset});
}

}  // namespace tailcap::views
