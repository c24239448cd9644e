// Threads that share the pieces of one task after the other.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tailcap::ground {

// Threads that are meant by a number: 0 means as many as there are CPUs, Workers::kMost at most.
unsigned workers_of(unsigned count);

class Workers {
 public:
  // count: see workers_of(). The caller is one of them.
  explicit Workers(unsigned count);
  ~Workers();
  static constexpr unsigned kMost = 8;

  std::size_t size() const { return threads_.size() + 1; }
  // Calls act(worker, piece) for each piece below `pieces`, worker below size(), in any order and at the same time.
  // Returns when all are done. act must not throw.
  void run(std::size_t pieces, const std::function<void(std::size_t, std::size_t)>& act);

 private:
  void work(std::size_t worker);
  void loop(std::size_t worker);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable begun_, done_;
  std::size_t task_ = 0, busy_ = 0;
  bool over_ = false;
  const std::function<void(std::size_t, std::size_t)>* act_ = nullptr;
  std::size_t pieces_ = 0;
  std::atomic<std::size_t> next_ = 0;
};

}  // namespace tailcap::ground
