// Which requests the lines of log files may belong to.
//
// In this order: the trace that a line names; the X-Request-Id that it names; its process and its time. A line is
// joined with a request only where that is the only one that is possible; otherwise it lies in several, and none is
// chosen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyze/model/logs/log_line.h"
#include "analyze/model/request.h"
#include "analyze/model/wall_clock.h"

namespace tailcap::views {

class LogJoin {
 public:
  // A line may be written this long after the last byte of the response.
  static constexpr formats::Duration kAfter = std::chrono::milliseconds{10};
  // X-Request-Ids are used again: a line with one was written this close to its request.
  static constexpr formats::Duration kClose = std::chrono::seconds{60};

  // What begins and ends the recording, and how far wall-clock times may be from the machine's. The table and the clock
  // must outlive this.
  LogJoin(const model::RequestTable& table, const model::WallClock& clock, formats::Time begin, formats::Time end,
          formats::Duration error);

  // A container that has recorded requests.
  bool knows_container(const std::string& id) const { return containers_.contains(id); }
  // service: whose log it is, as the user says; empty: not said.
  model::JoinedLine join(model::LoggedLine line, std::string_view service) const;

 private:
  struct Placed {
    std::int64_t from = 0, to = 0;  // ns since 1970
    std::uint32_t row = 0;
  };
  // Requests of a process or a service: served ones, where it serves any, otherwise those that it made.
  struct Group {
    std::vector<Placed> over;          // by beginning
    std::vector<std::int64_t> latest;  // end of those up to here
    std::vector<Placed> open;          // without a known end, by beginning
    bool serves = false;
  };
  // Whose line it is.
  struct Writer {
    enum class Kind : std::uint8_t { none, unknown, process, service, in_container };
    Kind kind = Kind::none;
    bool sure = false;  // unknown: it is of a process that has no request
    const Group* group = nullptr;
    std::uint64_t key = 0;
  };
  struct Span {
    std::int64_t from = 0, to = 0;
  };
  struct OfTrace {
    std::uint64_t high = 0, low = 0;
    std::uint32_t row = 0;
  };

  void add(Group& group, bool server, const Placed& placed, bool open);
  static void finish(Group& group);
  Writer writer_of(const model::LoggedLine& line, std::string_view given) const;
  bool is_of(const Writer& writer, std::uint32_t row) const;
  Span span_of(const model::LoggedLine& line) const;
  Span span_of(std::uint32_t row) const;
  std::uint32_t number_of(std::uint32_t row) const;  // of its process, without the machine
  std::uint64_t container_of(std::uint32_t row) const;

  std::vector<std::uint32_t> of_trace(const std::string& hex) const;
  void by_id(std::vector<std::uint32_t> rows, const Writer& writer, model::LogEvidence evidence,
             model::JoinedLine& out) const;
  void by_process(const Writer& writer, model::JoinedLine& out) const;
  bool has_other_id(const model::LoggedLine& line, std::uint32_t row) const;
  void name(const std::vector<std::uint32_t>& rows, model::LogEvidence evidence, model::JoinedLine& out) const;

  const model::RequestTable& table_;
  const model::Rows& rows_;
  const model::WallClock& clock_;
  const std::int64_t begin_, end_, error_;  // ns since 1970, since 1970, ns
  const std::int64_t offset_;
  std::vector<OfTrace> traces_;
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> request_ids_;
  std::unordered_map<std::uint32_t, Group> by_pid_;
  std::unordered_map<model::TextId, Group> by_name_;
  std::unordered_map<std::string, std::uint64_t> containers_;  // their numbers, by id
  std::unordered_map<std::uint64_t, Group> by_container_;
  std::unordered_map<std::uint32_t, std::uint64_t> container_of_pid_;
};

}  // namespace tailcap::views
