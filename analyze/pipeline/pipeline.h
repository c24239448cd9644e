// A capture in, requests and their study out: the only place where the stages meet.
//
//   Reader → Streams → Parsers → Exchanges → Peers, Timeline → request table → routes, study
//   Reader again → Partitioner → labels of every request
//
// The result is the same for every number of threads. Memory: the connections that live, and a row per request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/columns/facts.h"
#include "analyze/model/request.h"
#include "analyze/model/study/file_calls.h"
#include "analyze/model/study/split.h"
#include "analyze/model/study/study.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/replay.h"
#include "analyze/query/filter.h"
#include "formats/event.h"
#include "formats/preamble.h"

namespace tailcap::pipeline {

inline constexpr std::size_t kMaxRoutes = 200;
inline constexpr std::uint64_t kLittle = 2'000'000;  // events that are read in a few seconds: see Options::least_left

// A moment as a person names it.
struct Moment {
  bool absolute = false;  // ns since 1970; otherwise since the first event of the capture
  std::int64_t nanoseconds = 0;
  bool of_capture = false;  // as a formats::Time instead
};

struct Options {
  unsigned threads = 0;                // for decoding and labels; 0: as many as help
  std::optional<Moment> from, to;      // requests that start in [from, to)
  std::vector<query::Filter> filters;  // all must match
  std::vector<std::string> routes;     // the user's templates, see tail/routes.h
  std::size_t max_routes = kMaxRoutes;
  std::string by;                  // a header field: its values make routes of their own, see tail/groups.h
  bool keep_headers = false;       // fills Analysis::headers
  bool keep_trace_states = false;  // fills Analysis::trace_states
  bool keep_splits = false;        // fills Analysis::splits
  bool keep_connections = false;   // fills Analysis::connections
  bool study = true;               // false: only the table and Study::quality
  bool partition = false;          // fills RequestTable::partitions: reads the capture a second time
  bool every_turn = false;         // with partition: all blockers on event loops, at a cost that grows with concurrency
  bool occurrences = false;        // with partition: fills RequestTable::occurrences
  model::GoLimits go;
  Progress progress;  // see Replay
  // Only the beginning of a file is read where that decides the first `first` requests (0: not asked), those before
  // `to`, or the request to follow. Whatever follows from the whole capture (query/later.h, the study) is then that of
  // the beginning: Quality::read_until.
  bool beginning = false;
  std::size_t first = 0;
  std::uint64_t first_events = 200'000;  // read at least
  std::uint64_t least_left = 0;          // no more than these are read, too
  // The Replay's past, where it has one: the requests, and whatever depends on them, are those that begin after it.
  const Past* past = nullptr;
  // With partition: fills Analysis::courses for this request, its other end and the calls below,
  model::ExchangeId follow;
  std::size_t exemplars = 0;      // or for the exemplars of this number of routes, the first ones,
  std::size_t courses_up_to = 0;  // and for all requests where there are no more than these, and few stretches,
  bool all_courses = false;       // or for all requests, of the first 200,000
};

struct RequestHeaders {
  model::Headers request, response, request_trailers, response_trailers;
  bool request_complete = false, response_complete = false;
};

struct Endpoints {
  model::TextId local = 0, remote = 0;  // in RequestTable::texts; as model::endpoint() writes them
  formats::SocketId socket = 0;         // of a TLS session its carrier's; 0: not known
  std::uint32_t net_namespace = 0;
};

struct Analysis {
  model::RequestTable table;                   // the requests meant, sorted by (start, id)
  model::Study study;                          // of those; its quality is that of the whole capture
  std::vector<RequestHeaders> headers;         // one per row, where they were asked for
  std::vector<Endpoints> endpoints;            // by ConnectionId; [0] is empty
  std::vector<model::Connection> connections;  // by id, those without requests too, where they were asked for
  std::vector<std::pair<model::ExchangeId, model::TextId>> trace_states;  // of requests that carry one, ascending
  std::vector<model::Course> courses;                                     // by request
  std::vector<model::FileCalls> files;                                    // likewise, of those that made any
  // With a past: requests with provisional numbers by which their numbers can be found (find_numbers()), by id.
  std::vector<Numberless> numberless;
  // Requests whose phases or labels do not sum to their duration, the first few: a defect of tailcap. Exit code 1.
  std::vector<model::ExchangeId> wrong;
  std::size_t grouped = 0;  // requests that carry the header field Options::by
  model::Splits splits;     // of all requests, selected or not, where they were asked for
  // Bytes or events are missing somewhere, or the capture was cut short: exit code 3 where results are printed.
  bool damaged = false;
};

// What an analysis knows about a request beside its row: clock, endpoints, split.
void add_known(model::columns::ColumnFacts& facts, const Analysis& whole);

// Throws std::runtime_error if the file cannot be read or is no capture.
Analysis analyze(const std::string& path, const Options& options = {});

// The same for events that are in memory, as tests make them; the last is a CaptureEnd.
Analysis analyze(const formats::Preamble& preamble, std::span<const formats::Event> events,
                 const Options& options = {});

}  // namespace tailcap::pipeline
