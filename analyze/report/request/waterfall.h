// One request laid out on a common axis of time, for the terminal and for a page: both render this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/study.h"
#include "analyze/report/logs/log_lines.h"
#include "analyze/report/request/calls.h"
#include "analyze/report/request/files.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

using formats::Duration;
using formats::Time;

struct WaterfallBar {
  std::string name, colour;
  Duration from{}, length{};  // from Waterfall::zero
  std::string note{};         // who or what was behind it; empty: nothing known
};

struct WaterfallLane {
  std::string title;  // "request, at the server", "thread 18 (nginx)"
  std::vector<WaterfallBar> bars;
  // Indexes of the bars that get a line of their own: all, or, of a thread, those that can be seen.
  std::vector<std::size_t> listed;
  std::string others;             // "18 shorter intervals, together 1.20 ms"; empty: none
  std::vector<LaneLine> lines{};  // of logs, by time
};

struct Milestone {
  Duration at{};
  std::string end;  // "server", "client"; whose view it is
  std::string what;
  bool at_most = false;  // a send is stamped when it returns: it was then or before
};

struct Wait {
  Duration left{}, waited{}, queued{};
  bool runnable_known = false;  // false: waited holds it all
  std::string what;             // "futex at 0x7f00", "epoll_wait on descriptor 5", "preempted"
  std::string woken_by;         // "thread 19", "an interrupt"; empty: not known
  std::uint16_t missed = 0;     // waits of this thread that were lost before this one
};

struct Head {
  std::string title;               // "Request, as read"
  std::vector<std::string> lines;  // printable
  bool complete = false;
};

struct Waterfall {
  std::string title;             // "GET /users/7"
  std::vector<FactLine> facts;   // printable
  Time zero = formats::kNoTime;  // where the axis begins: the earlier of both ends' starts
  Duration span{};               // its length
  std::vector<WaterfallLane> lanes;
  std::vector<std::string> beside;    // calls that it did not wait for in the end
  std::string no_lanes;               // why there are none
  std::vector<Milestone> milestones;  // by time
  CallMessages messages;
  std::vector<FileLine> files;
  std::vector<std::string> files_notes;  // what is not among them
  std::vector<Wait> waits;
  std::uint64_t waits_left_out = 0;
  std::vector<std::string> events;  // retransmissions, resets and losses on the connection
  std::vector<Head> heads;
};

Waterfall waterfall(const model::Detail& detail, const model::Study& study);

}  // namespace tailcap::report
