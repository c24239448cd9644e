#include "samples/load/worker.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>

#include "samples/load/response.h"

namespace tailcap::samples {
namespace {

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

struct Due {
  std::uint64_t number = 0;
  std::int64_t at = 0;  // closed loop: 0, the moment it is sent
};

struct Connection {
  int socket = -1;
  bool busy = false;
  bool want_write = false;
  std::string out;
  std::size_t written = 0;
  ResponseReader response;
  Planned planned;
  std::string id;
  std::uint64_t served = 0;
  std::int64_t due = 0, sent = 0, first_byte = 0;
};

class Loop {
 public:
  explicit Loop(const LoadPlan& plan) : plan_(plan), mix_(plan.templates, plan.seed), connections_(plan.connections) {
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    if (poll_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an epoll descriptor");
    for (auto& c : connections_) idle_.push_back(&c);
  }
  ~Loop() {
    for (auto& c : connections_) drop(c);
    close(poll_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  LoadResult run() {
    begin_ = result_.begin_ns = now_ns();
    while (!finished()) {
      start_due();
      wait();
      expire();
    }
    result_.end_ns = now_ns();
    result_.not_sent += waiting_.size();
    return std::move(result_);
  }

 private:
  std::int64_t due_at(std::uint64_t number) const {
    return begin_ + static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / plan_.rate);
  }
  bool exhausted(std::int64_t now) const {
    return (plan_.requests != 0 && issued_ >= plan_.requests) ||
           (plan_.duration_ns != 0 && now - begin_ >= plan_.duration_ns);
  }
  bool finished() const { return exhausted(now_ns()) && busy_ == 0 && (waiting_.empty() || gave_up_); }

  void start_due() {
    std::int64_t now = now_ns();
    if (plan_.rate > 0) {
      while (!exhausted(std::max(now, due_at(issued_))) && due_at(issued_) <= now) {
        waiting_.push_back({issued_, due_at(issued_)});
        ++issued_;
      }
      if (plan_.duration_ns != 0 && now - begin_ > plan_.duration_ns + plan_.timeout_ns) gave_up_ = true;
    }
    while (!idle_.empty() && !gave_up_) {
      Due due;
      if (plan_.rate > 0) {
        if (waiting_.empty()) return;
        due = waiting_.front();
        waiting_.pop_front();
      } else {
        if (exhausted(now)) return;
        due.number = issued_++;
      }
      Connection& c = *idle_.back();
      idle_.pop_back();
      send(c, due);
      now = now_ns();
    }
  }

  void send(Connection& c, const Due& due) {
    c.planned = mix_.next();
    c.id = plan_.id_prefix + std::to_string(due.number);
    c.out = c.planned.method + " " + c.planned.path + " HTTP/1.1\r\nhost: " + plan_.target.authority +
            "\r\nx-request-id: " + c.id + "\r\n" + plan_.more_headers;
    if (c.planned.body_bytes > 0) c.out += "content-length: " + std::to_string(c.planned.body_bytes) + "\r\n";
    c.out += "\r\n";
    c.out.append(c.planned.body_bytes, 'o');
    c.written = 0;
    c.first_byte = 0;
    c.response.start(c.planned.method);
    c.busy = true;
    ++busy_;
    c.sent = now_ns();
    c.due = due.at ? due.at : c.sent;
    if (c.socket < 0 && !open(c)) {
      finish(c, "connection refused");
      return;
    }
    flush(c);
  }

  bool open(Connection& c) {
    bool refused = false;
    c.socket = plan_.target.connect_socket(refused);
    if (refused) return false;
    ++result_.connects;
    c.served = 0;
    c.want_write = false;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &c;
    if (epoll_ctl(poll_, EPOLL_CTL_ADD, c.socket, &event) < 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    return true;
  }

  void drop(Connection& c) {
    if (c.socket >= 0) close(c.socket);
    c.socket = -1;
  }

  void flush(Connection& c) {
    while (c.written < c.out.size()) {
      const ssize_t n = ::send(c.socket, c.out.data() + c.written, c.out.size() - c.written, MSG_NOSIGNAL);
      if (n > 0) {
        c.written += static_cast<std::size_t>(n);
      } else if (errno == EAGAIN || errno == ENOTCONN) {
        break;
      } else {
        finish(c, "send failed");
        return;
      }
    }
    const bool want = c.written < c.out.size();
    if (want == c.want_write) return;
    c.want_write = want;
    epoll_event event{};
    event.events = EPOLLIN | (want ? static_cast<std::uint32_t>(EPOLLOUT) : 0u);
    event.data.ptr = &c;
    epoll_ctl(poll_, EPOLL_CTL_MOD, c.socket, &event);
  }

  void receive(Connection& c) {
    const ssize_t n = recv(c.socket, buffer_.data(), buffer_.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (!c.busy) {  // the server closed an idle connection, or sent data without a request, which ends it too
      drop(c);
      return;
    }
    if (n <= 0) {
      c.response.closed();
      const bool done = n == 0 && c.response.state() == ResponseReader::State::done;
      finish(c, done ? nullptr : n == 0 ? "closed early" : "connection reset");
      return;
    }
    if (c.first_byte == 0) c.first_byte = now_ns();
    result_.bytes += static_cast<std::uint64_t>(n);
    const auto used = c.response.take({buffer_.data(), static_cast<std::size_t>(n)});
    if (c.response.state() == ResponseReader::State::broken || used < static_cast<std::size_t>(n))
      finish(c, "not an HTTP/1.1 response");
    else if (c.response.state() == ResponseReader::State::done)
      finish(c, nullptr);
  }

  void wait() {
    std::array<epoll_event, 64> events;
    const std::int64_t now = now_ns();
    std::int64_t until = now + 10'000'000;
    if (plan_.rate > 0 && waiting_.empty()) until = std::min(until, due_at(issued_));
    const std::int64_t left = std::max<std::int64_t>(until - now, 0);
    const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    int n = epoll_pwait2(poll_, events.data(), events.size(), &timeout, nullptr);
    if (n < 0 && errno == ENOSYS)  // before Linux 5.11; whole milliseconds
      n = epoll_wait(poll_, events.data(), events.size(), static_cast<int>(left / 1'000'000));
    for (int i = 0; i < n; ++i) {
      auto& c = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (c.socket >= 0 && c.busy && (events[static_cast<std::size_t>(i)].events & EPOLLOUT)) flush(c);
      if (c.socket >= 0 && (events[static_cast<std::size_t>(i)].events & ~EPOLLOUT)) receive(c);
    }
  }

  void expire() {
    if (plan_.timeout_ns == 0 || busy_ == 0) return;
    const std::int64_t now = now_ns();
    if (now < next_expiry_) return;
    next_expiry_ = now + 50'000'000;
    for (auto& c : connections_)
      if (c.busy && now - c.sent > plan_.timeout_ns) finish(c, "timed out");
  }

  // error: nullptr when the response is whole.
  void finish(Connection& c, const char* error) {
    const std::int64_t done = now_ns();
    c.busy = false;
    --busy_;
    idle_.push_back(&c);
    ++c.served;
    if (error) {
      ++result_.failed;
    } else {
      ++result_.done;
      result_.latency.add(done - c.due);
      if (c.response.status() >= 500)
        ++result_.status_5xx;
      else if (c.response.status() >= 400)
        ++result_.status_4xx;
    }
    if (plan_.log) note(c, error, done);
    const bool worn = plan_.requests_per_connection != 0 && c.served >= plan_.requests_per_connection;
    if (error || !c.response.keep_alive() || worn) drop(c);
  }

  void note(const Connection& c, const char* error, std::int64_t done) {
    char line[640];
    const int n = std::snprintf(
        line, sizeof line,
        R"({"id":"%s","method":"%s","path":"%.256s","status":%d,"request_bytes":%llu,"response_bytes":%llu,"due_ns":%lld,"sent_ns":%lld,"first_byte_ns":%lld,"done_ns":%lld,"error":%s%s%s})"
        "\n",
        c.id.c_str(), c.planned.method.c_str(), c.planned.path.c_str(), c.response.status(),
        static_cast<unsigned long long>(c.planned.body_bytes), static_cast<unsigned long long>(c.response.body_bytes()),
        static_cast<long long>(c.due), static_cast<long long>(c.sent), static_cast<long long>(c.first_byte),
        static_cast<long long>(done), error ? "\"" : "", error ? error : "null", error ? "\"" : "");
    result_.log.append(line, std::min(static_cast<std::size_t>(n), sizeof line - 1));
  }

  const LoadPlan& plan_;
  Mix mix_;
  std::vector<Connection> connections_;
  std::vector<Connection*> idle_;
  std::deque<Due> waiting_;
  int poll_ = -1;
  std::int64_t begin_ = 0, next_expiry_ = 0;
  std::uint64_t issued_ = 0;
  std::size_t busy_ = 0;
  bool gave_up_ = false;
  LoadResult result_;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
};

}  // namespace

LoadResult run_load(const LoadPlan& plan) {
  prctl(PR_SET_TIMERSLACK, 1000);  // wakes at due times within a microsecond instead of the default fifty
  return Loop(plan).run();
}

}  // namespace tailcap::samples
