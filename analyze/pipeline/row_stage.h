// Second half of the first reading: what is said of requests, connections and the recording.
#pragma once

#include <memory>
#include <span>

#include "analyze/pipeline/connections.h"
#include "analyze/pipeline/recording.h"
#include "analyze/pipeline/requests.h"
#include "analyze/pipeline/wire/wire_sink.h"

namespace tailcap::pipeline {

class RowStage : public WireSink {
 public:
  RowStage(const formats::Preamble& preamble, const Options& options)
      : partly_(partly_read(options.past)),
        past_(options.past ? options.past->events.size() : 0),
        window_(options.past ? options.past->until : formats::kNoTime),
        recording_(preamble, options.go),
        requests_(preamble, options),
        connections_(options.keep_connections) {}

  void push(const formats::Event& event, std::span<const model::Lookup> ended) override;
  void failed(const model::FailedName& name, const model::Connection& connection) override;
  void push(std::unique_ptr<model::Message>& message, const model::Connection* connection,
            const model::Connection* carrier) override;
  void push(std::unique_ptr<model::Exchange>& exchange, const model::Connection* connection,
            const model::Connection* carrier) override {
    add(*exchange, connection, carrier);
  }
  void ended(const model::Connection& connection, const model::Connection* carrier, model::End how) override;

  Requests& requests() { return requests_; }
  const Requests& requests() const { return requests_; }
  Connections& connections() { return connections_; }
  const Recording& recording() const { return recording_; }
  // table: that of the requests.
  void fill(const model::RequestTable& table, model::Study& study);

 private:
  void add(const model::Exchange& exchange, const model::Connection* connection, const model::Connection* carrier);

  const model::PartlyRead partly_;
  std::size_t past_;            // events to come that are before the window
  const formats::Time window_;  // its beginning
  Recording recording_;
  Requests requests_;
  Connections connections_;
};

}  // namespace tailcap::pipeline
