// Has openers read what /proc shows of processes (process_text.h), for a thread that must not wait for any of them.
//
// It has a thread of its own and one opener at work. A process that keeps it waiting is put aside together with this
// opener, and the next process gets another one: so a process that does not answer costs the others kStep, once. It is
// asked a second time, for its executable alone, which needs no lock of its memory.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "capture/host/descriptor.h"
#include "capture/scan/process_text.h"
#include "capture/scan/processes.h"

namespace tailcap::capture::scan {

class ProcessTexts {
 public:
  static constexpr std::chrono::milliseconds kStep{20};
  static constexpr std::chrono::milliseconds kPatience{1000};
  static constexpr std::size_t kMaxAside = 16;  // then the one that has waited longest is given up

  struct Answer {
    ProcessQuestion question;
    ProcessText text;  // empty: as said there, or it did not answer
    bool silent = false;
  };

  // processes must outlive this object. hurry: there is work that cannot wait. Throws std::system_error.
  explicit ProcessTexts(const Processes& processes, std::function<bool()> hurry = {});
  ~ProcessTexts();  // waits for no process
  ProcessTexts(const ProcessTexts&) = delete;
  ProcessTexts& operator=(const ProcessTexts&) = delete;

  // One answer follows for each question; a question that finds too many others waiting is answered at once, as silent.
  void ask(const ProcessQuestion& question);
  std::vector<Answer> take();
  // Until everything asked for is answered (all), or answered or put aside; or for this long; or until there is hurry.
  void wait(std::chrono::milliseconds most, bool all);

 private:
  using Clock = std::chrono::steady_clock;
  struct Asked {
    Descriptor opener;
    ProcessQuestion question;
    Clock::time_point since;
    bool again = false;
  };
  void run();
  void begin(const ProcessQuestion& question, bool again);
  void listen();
  void receive(Asked& asked, bool aside);
  void give_up(Asked& asked);
  void deliver(Answer answer);

  const Processes& processes_;
  const std::function<bool()> hurry_;
  Descriptor wake_;  // an eventfd
  // The thread alone uses these: the question that the opener works on, and those put aside.
  std::optional<Asked> asked_;
  std::deque<Asked> aside_;
  std::deque<ProcessQuestion> again_;
  Descriptor opener_;  // idle
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ProcessQuestion> questions_;
  std::vector<Answer> answers_;
  std::size_t open_ = 0, waiting_aside_ = 0;  // questions without an answer, and those of them that are put aside
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace tailcap::capture::scan
