// Batches that pass through stages. A stage takes them in order, one at a time; different stages work at the same time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tailcap::ground {

class Line {
 public:
  using Stage = std::function<void(std::size_t)>;  // the place of the batch, below `most`
  // threads: see workers_of(); the caller is one of them and does what others do while it waits. most: batches that are
  // under way at once. What the stages use must outlive the line.
  Line(unsigned threads, std::size_t most, std::vector<Stage> stages);
  ~Line();  // batches under way are given up
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  // Where the next batch goes, as soon as there is a place. This and the rest throw what a stage threw.
  std::size_t place();
  // The batch at place() is ready for the first stage.
  void add();
  // Until no more than `left` batches are under way.
  void wait(std::size_t left = 0);

 private:
  bool work(std::unique_lock<std::mutex>& hold);
  void loop();

  const std::size_t most_;
  const std::vector<Stage> stages_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t added_ = 0;
  std::vector<std::size_t> done_;  // by stage: batches that have passed it
  std::vector<bool> busy_;         // by stage
  std::exception_ptr error_;
  bool over_ = false;
  std::vector<std::thread> threads_;  // the last: they use the others
};

}  // namespace tailcap::ground
