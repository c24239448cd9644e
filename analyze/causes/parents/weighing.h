// Attribution of the calls of one process to the requests that it served.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyze/causes/live.h"
#include "analyze/causes/note.h"
#include "analyze/causes/parents/descent.h"
#include "analyze/causes/parents/jobs.h"
#include "analyze/causes/parents/likeness.h"
#include "analyze/causes/parents/pools.h"
#include "analyze/causes/parents/turns.h"
#include "analyze/model/cause.h"

namespace tailcap::causes {

// Knowledge beside the exchanges. All references must outlive the Weighing.
struct WeighingContext {
  const LoopIterations& turns;
  const Goroutines& goroutines;
  const model::TextPool& texts;
  Time horizon;     // calls from here on get no parent
  Time jobs_until;  // channel transfers from here on are not known
};

class Weighing {
 public:
  // Sorts the process's exchanges. taken: its channel transfers.
  Weighing(std::uint32_t pid, Process& process, const WeighingContext& known,
           const std::vector<ChannelTransfer>& taken);
  // Adds the causes of its client-side exchanges that have a parent, alternatives or a relevant loss.
  void run(std::vector<model::Causes::Link>& links);

 private:
  enum class What : std::uint8_t { read, sent, wrote };  // read: bytes for us; sent: a call of ours; wrote: an answer
  struct Step {
    Time time;
    std::uint32_t number;  // in servers or clients
    What what;
    bool server;
    bool older = false;  // of a call before the first that is known on its connection
  };
  using Steps = std::vector<Step>;
  static constexpr std::size_t kMaxSteps = 4096;  // looked at for one call: beyond, nothing is certain

  struct Turn {
    std::int64_t server = kNothing;
    bool lost = false;  // relevant events were lost
  };
  static constexpr std::int64_t kNothing = -1,
                                kSeveral = -2;  // read in the iteration: nothing; several or unknown requests

  void add(std::uint32_t tid, Time time, std::uint32_t number, What what, bool server);
  model::Cause decide(std::uint32_t client);
  model::Cause by_trace(const Note& call, const model::Cause& otherwise) const;
  model::Cause by_goroutine(const Note& call) const;
  model::Cause by_thread(std::uint32_t client, const std::vector<std::uint32_t>& mine) const;
  model::Cause by_answer(const Note& call) const;
  Turn by_turn(std::uint32_t client, const std::vector<std::uint32_t>& mine) const;
  std::int64_t request_of(const Step& step) const;
  Turn answered_in_turn(std::uint32_t client) const;
  model::Cause cause_of(const Turn& turn, const std::vector<std::uint32_t>& among) const;
  model::Cause by_giver(std::uint32_t client) const;
  model::Cause by_content(std::uint32_t client, const model::Cause& otherwise) const;
  Turn turn_of(std::uint32_t client) const;
  // What this thread had read last in the iteration that it was in then.
  Turn read_last(std::uint32_t tid, std::uint32_t client, Time at) const;
  std::int64_t goes_on(std::uint32_t client) const;
  std::int64_t only_one(std::uint32_t client, const std::vector<std::uint32_t>& mine) const;
  bool waits_for_call(std::uint32_t server, Time sent, Time at) const;
  void add_reads();
  bool alone(const Steps& steps, const Note& server, const Note& call) const;
  bool lost_waits(std::uint32_t tid, Time from, Time to) const;
  void find_spontaneous();
  std::vector<std::uint32_t> read_by(std::uint32_t tid, Time at) const;

  Process& process_;
  const WeighingContext known_;
  const LoopIterations& turns_;
  const Losses& losses_;
  Descent descent_;
  Jobs jobs_;
  Live live_;
  Likeness likeness_;
  Pools pools_;
  std::unordered_map<std::uint32_t, Steps> steps_;  // by thread, of those that make calls
  std::map<std::array<std::uint64_t, 2>, std::vector<std::uint32_t>> by_trace_;
  std::vector<std::int64_t> parent_;                               // of each client: its server, -1: unknown
  std::unordered_set<std::uint64_t> spontaneous_, after_answers_;  // kinds of calls that follow nothing, or an answer
  bool fans_out_ = false;                                          // requests that wait for a call make others
  std::unordered_set<std::uint32_t> dedicated_;  // threads that block in reads of a connection that they serve
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>>
      called_;  // by server: the calls that it is the parent of
};

}  // namespace tailcap::causes
