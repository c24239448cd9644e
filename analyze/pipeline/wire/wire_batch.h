// What the first half of the first reading made of a few events, kept for the second half on another thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "analyze/pipeline/wire/wire_sink.h"
#include "formats/event.h"
#include "ground/slots.h"

namespace tailcap::pipeline {

class WireBatch : public WireSink {
 public:
  // The events that are pushed must live until replay() is done.
  void begin() {
    steps_.clear(), messages_.clear(), exchanges_.clear(), failed_.clear();
    lookups_ = connections_ = 0;
  }
  void push(const formats::Event& event, std::span<const model::Lookup> ended) override;
  void failed(const model::FailedName& name, const model::Connection& connection) override;
  void push(std::unique_ptr<model::Message>& message, const model::Connection* connection,
            const model::Connection* carrier) override;
  void push(std::unique_ptr<model::Exchange>& exchange, const model::Connection* connection,
            const model::Connection* carrier) override;
  void ended(const model::Connection& connection, const model::Connection* carrier, model::End how) override;
  // Everything, in the same order.
  void replay(WireSink& sink);

 private:
  // What belongs to a step lies at the next place of the list for its kind.
  struct Step {
    enum class Kind : std::uint8_t { event, failed, message, exchange, ended };
    Kind kind;
    bool connection, carrier;               // there is one
    model::End how = model::End::none;      // kind ended
    std::uint32_t lookups = 0;              // kind event: how many of the list
    const formats::Event* event = nullptr;  // kind event
  };
  // Slots are used again, with the memory of their strings.
  template <class T>
  static T& next(std::vector<T>& slots, std::size_t& used) {
    if (used == slots.size()) slots.emplace_back();
    return slots[used++];
  }
  void keep(const model::Connection* connection);
  void add(Step::Kind kind, const model::Connection* connection, const model::Connection* carrier,
           model::End how = model::End::none);

  std::vector<Step> steps_;
  std::vector<model::Lookup> lookup_slots_;
  std::vector<model::FailedName> failed_;
  ground::Slots<model::Message> messages_;
  ground::Slots<model::Exchange> exchanges_;
  std::vector<model::Connection> connection_slots_;  // as they were then
  std::size_t lookups_ = 0, connections_ = 0;        // slots in use
};

}  // namespace tailcap::pipeline
