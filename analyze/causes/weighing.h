// The exchanges of one process as they are weighed against each other: who made whom.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "analyze/causes/descent.h"
#include "analyze/causes/jobs.h"
#include "analyze/causes/note.h"
#include "analyze/causes/turns.h"
#include "analyze/flow/cause.h"

namespace tailcap::causes {

class Weighing {
 public:
  // Sorts the process's exchanges. Nothing is said about calls from `horizon` on. taken: through channels, up to jobs_until.
  Weighing(std::uint32_t pid, Process& process, const Turns& turns, const Goroutines& goroutines, Time horizon, std::vector<Taken> taken,
           Time jobs_until);
  // Adds the causes of its client-side exchanges, where there is anything to say.
  void run(std::vector<flow::Causes::Link>& links);

 private:
  enum class What : std::uint8_t { read, sent, wrote };  // read: bytes for us; sent: a call of ours; wrote: an answer
  struct Step {
    Time time;
    std::uint32_t number;  // in servers or clients
    What what;
    bool server;
  };
  using Steps = std::vector<Step>;

  void add(std::uint32_t tid, Time time, std::uint32_t number, What what, bool server);
  void advance(Time to);
  flow::Cause decide(std::uint32_t client);
  flow::Cause by_trace(const Note& call, const flow::Cause& otherwise) const;
  flow::Cause by_goroutine(const Note& call) const;
  flow::Cause by_thread(std::uint32_t client, const std::vector<std::uint32_t>& mine) const;
  flow::Cause by_answer(const Note& call) const;
  flow::Cause by_turn(std::uint32_t client, const std::vector<std::uint32_t>& mine) const;
  // -1: nothing was read in the same turn, -2: of several or of unknown requests
  std::int64_t read_last(const Steps& steps, std::uint32_t client, Time at) const;
  bool alone(const Steps& steps, const Note& server, const Note& call) const;
  bool live(const Note& server, Time at) const;

  Process& process_;
  const Turns& turns_;
  Time horizon_;
  Descent descent_;
  Jobs jobs_;
  Time jobs_until_;
  std::unordered_map<std::uint32_t, Steps> steps_;  // by thread, of those that make calls
  std::map<std::array<std::uint64_t, 2>, std::vector<std::uint32_t>> by_trace_;
  std::vector<std::uint32_t> active_;  // servers, ascending by began
  std::size_t next_ = 0;
  std::vector<std::int64_t> parent_;   // of each client: its server, -1: unknown
};

}  // namespace tailcap::causes
