#include "capture/scan/process_texts.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "capture/scan/message.h"
#include "capture/scan/opener.h"

namespace tailcap::capture::scan {

namespace {

constexpr std::size_t kMaxOpen = 16384;  // questions without an answer
constexpr std::chrono::milliseconds kHurryAsked{5};

}  // namespace

ProcessTexts::ProcessTexts(const Processes& processes, std::function<bool()> hurry)
    : processes_(processes), hurry_(std::move(hurry)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw std::system_error(errno, std::generic_category(), "cannot prepare to look at processes");
  thread_ = std::thread([this] { run(); });
}

ProcessTexts::~ProcessTexts() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  const std::uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
  thread_.join();
}

void ProcessTexts::ask(const ProcessQuestion& question) {
  {
    const std::lock_guard lock(mutex_);
    if (open_ >= kMaxOpen) {
      answers_.push_back({question, {}, true});
      return;
    }
    open_++;
    questions_.push_back(question);
  }
  const std::uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

std::vector<ProcessTexts::Answer> ProcessTexts::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void ProcessTexts::wait(std::chrono::milliseconds most, bool all) {
  const auto end = Clock::now() + most;
  const auto answered = [&] { return open_ <= (all ? 0 : waiting_aside_); };
  std::unique_lock lock(mutex_);
  while (!answered() && Clock::now() < end && !(hurry_ && hurry_()))
    changed_.wait_until(lock, hurry_ ? std::min(end, Clock::now() + kHurryAsked) : end, answered);
}

void ProcessTexts::deliver(Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    open_--;
    answers_.push_back(std::move(answer));
  }
  changed_.notify_all();
}

void ProcessTexts::run() {
  for (;;) {
    if (!asked_) {
      std::optional<ProcessQuestion> next;
      {
        const std::lock_guard lock(mutex_);
        if (stop_) return;
        if (!questions_.empty()) {
          next = questions_.front();
          questions_.pop_front();
        }
      }
      if (next) {
        begin(*next, false);
      } else if (!again_.empty()) {
        begin(std::exchange(again_.front(), {}), true);
        again_.pop_front();
      }
    }
    listen();
    const std::lock_guard lock(mutex_);
    if (stop_) return;
  }
}

void ProcessTexts::begin(const ProcessQuestion& question, bool again) {
  for (int tries = 0; tries < 2; tries++) {
    if (!opener_) opener_ = processes_.openers().start();
    if (!opener_) break;
    if (send_message(opener_.get(), encode_process(encode(question)))) {
      asked_ = Asked{std::move(opener_), question, Clock::now(), again};
      return;
    }
    opener_.reset();  // it has ended since
  }
  deliver({question, {}, true});
}

// Waits for answers, for a question, and for the next deadline; then sees to what is late.
void ProcessTexts::listen() {
  std::vector<pollfd> watched{{wake_.get(), POLLIN, 0}};
  auto next = Clock::time_point::max();
  const auto watch = [&](const Asked& asked, Clock::duration patience) {
    watched.push_back({asked.opener.get(), POLLIN, 0});
    next = std::min(next, asked.since + patience);
  };
  if (asked_) watch(*asked_, kStep);
  for (const auto& each : aside_) watch(each, kPatience);
  int timeout = -1;
  {
    const std::lock_guard lock(mutex_);
    if (!asked_ && (!questions_.empty() || !again_.empty())) timeout = 0;
  }
  if (timeout < 0 && next != Clock::time_point::max())
    timeout = static_cast<int>(
        std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count(), 0, 10'000));
  if (poll(watched.data(), watched.size(), timeout) < 0) return;
  std::uint64_t asks;
  if (watched[0].revents) (void)!read(wake_.get(), &asks, sizeof asks);
  std::size_t at = 1;
  const auto now = Clock::now();
  const bool working = asked_.has_value();
  if (working && watched[at++].revents) receive(*asked_, false);
  for (auto& each : aside_) {
    if (watched[at++].revents)
      receive(each, true);
    else if (now - each.since >= kPatience)
      give_up(each);
  }
  std::erase_if(aside_, [](const Asked& each) { return !each.opener; });
  if (working && asked_->opener && now - asked_->since >= kStep) {
    if (aside_.size() >= kMaxAside) {
      give_up(aside_.front());
      aside_.pop_front();
    }
    aside_.push_back(std::move(*asked_));
    asked_.reset();
  } else if (working && !asked_->opener) {
    asked_.reset();
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_aside_ = aside_.size() + again_.size();
  }
  changed_.notify_all();
}

// Takes the opener back, or lets it go.
void ProcessTexts::receive(Asked& asked, bool aside) {
  Message message;
  const auto received = receive_message(asked.opener.get(), Take::descriptors, kMaxReply, message);
  const auto reply = received == Received::message ? decode_reply(message.bytes) : std::nullopt;
  auto text = reply ? decode_process_text(reply->text) : std::nullopt;
  if (!text) return give_up(asked);
  Descriptor opener = std::move(asked.opener);
  if (!aside || !opener_) opener_ = std::move(opener);
  deliver({asked.question, *std::move(text), asked.again});
}

// An opener whose socket is closed ends as soon as it can.
void ProcessTexts::give_up(Asked& asked) {
  asked.opener.reset();
  if (asked.again) return deliver({asked.question, {}, true});
  asked.question.arguments = false;
  asked.question.maps = 0;
  again_.push_back(asked.question);
}

}  // namespace tailcap::capture::scan
