// The first reading: events become bytes in order, messages, exchanges, and what is made of each.
//
//   Event → WireStage (Streams → Parsers → Exchanges) → RowStage (Requests, Connections, Recording)
#pragma once

#include "analyze/pipeline/row_stage.h"
#include "analyze/pipeline/wire/wire_stage.h"

namespace tailcap::pipeline {

class Beginning;
class Replay;

class WirePass {
 public:
  // Without an allowance there may be as many requests as there are.
  WirePass(const formats::Preamble& preamble, const Options& options, formats::RequestAllowance* allowance)
      : threads_(options.threads),
        wire_(allowance, partly_read(options.past), options.past ? options.past->exchanges() : exchanges::Exchanges()),
        rows_(preamble, options) {}

  void push(const formats::Event& event) { wire_.push(event, rows_); }
  // The events of the capture, as far as they are needed, in batches on several threads where there may be some. The
  // result is the same.
  void read(Replay& replay, Beginning& beginning);
  // After the last event: all requests are known.
  void end() {
    requests().settle(recording().facts());
    connections().name_remotes(requests().table());
    connections().name_whole_calls(requests().table());
  }

  Requests& requests() { return rows_.requests(); }
  Connections& connections() { return rows_.connections(); }
  const Recording& recording() const { return rows_.recording(); }
  // Adds a row for each request that waits for its response, with its texts in this table. False: there are more than
  // `most`.
  bool add_under_way(model::RequestTable& table, std::size_t most) const;
  // After the last event: the connection of every TLS session is known.
  bool all_bound() const;
  // Counts and findings of the stages. table: that of the requests.
  void fill(const model::RequestTable& table, model::Study& study);

 private:
  const unsigned threads_;
  WireStage wire_;
  RowStage rows_;
};

}  // namespace tailcap::pipeline
