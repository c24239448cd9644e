// Bytes of streams that are not in a capture, such as bodies: those of them that readers of packets wait for.
//
// A reader puts a message together before it shows it, and one whose body is missing never ends for it. Zeros in place
// of a short body help. A long one would make a large file of nothing: there the head is cut short by a byte, as if the
// packet were longer than what was kept of it, and the reader shows the head at once.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::views {

class MissingBytes {
 public:
  // Bytes in a row that become zeros at most: behind the head of a message, and within it, as behind the length of a
  // chunk, where no head can be shown instead.
  static constexpr std::uint64_t kMostFilled = 64u << 10, kMostWithin = 16u << 20;

  // The first reading: all runs of the connections that are written.
  void look(const model::ByteRun& run);

  // Whether the captured bytes that end here are the head of a message with a long body. offset: in the stream.
  bool cuts(model::ConnectionId connection, bool in, std::uint64_t offset) const;
  // Whether missing bytes of the row that begins here become zeros.
  bool fills(model::ConnectionId connection, bool in, std::uint64_t row) const {
    return !long_.contains({connection, in, row});
  }

 private:
  struct Row {
    std::uint64_t begin = 0, length = 0;
    std::string before;  // the last captured bytes
  };
  static constexpr std::size_t kMostRows = 1u << 20;
  void captured(Row& row, std::string_view bytes, std::uint64_t end) const;

  std::unordered_map<model::ConnectionId, Row> rows_[2];                  // out, in
  std::set<std::tuple<model::ConnectionId, bool, std::uint64_t>> long_;   // rows that stay as they are
  std::set<std::tuple<model::ConnectionId, bool, std::uint64_t>> heads_;  // of these, behind the head of a message
};

}  // namespace tailcap::views
