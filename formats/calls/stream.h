// One connection of a protocol of calls: its I/Os in, tokens out. The mask and the analyser read with it alike.
//
// A direction whose position is lost goes on where the machine proves a border (Machine::resume). If it cannot, the
// stream is over, and a Finder looks for a request and its answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "formats/calls/table.h"

namespace tailcap::formats::calls {

// What a system call moved: of `length` bytes, the first and the last are visible.
struct Piece {
  std::uint64_t length = 0;
  std::string_view head, tail;
  std::uint64_t hidden() const { return length - head.size() - tail.size(); }
};

class Stream {
 public:
  enum class State : std::uint8_t {
    reads,
    tls,      // TLS follows, on both sides
    foreign,  // it was never this protocol
    lost,     // what follows is not known
  };

  // From the first bytes of the connection on.
  explicit Stream(Kind kind) : Stream(kind, protocol_of(kind).machine(true), false) {}
  // Found in the middle of it.
  Stream(Kind kind, std::unique_ptr<Machine> machine) : Stream(kind, std::move(machine), true) {}
  Kind kind() const { return kind_; }
  State state() const { return state_; }
  bool lost(Side side) const { return lost_[index(side)]; }
  bool at_border(Side side) const { return machine_->at_border(side); }
  bool settled() const { return machine_->settled(); }
  Order order() const { return machine_->order(); }
  // What was read contradicts itself: what follows is not known.
  void give_up() { state_ = State::lost; }
  // A request and its answer have proved what it carries.
  bool proved() const { return found_ || answered_; }

  // How the message that is open on a side ends where its last bytes are not seen.
  Token skipped(Side side) { return machine_->skipped(side); }
  std::uint32_t further_call() { return machine_->further_call(); }

  // n bytes of this side were moved and no event covers them.
  template <class Sink>
  void gap(Side side, std::uint64_t n, Sink& sink) {
    if (n > 0) hide(side, n, sink);
  }

  // Sink: token(side, token, bytes, at), `at` being the number of the first byte among the visible ones; unseen(side,
  // n); lost(side); resumed(side, ended, last, at): the last bytes prove a border, and where `ended.ends`, a message
  // ended there.
  template <class Sink>
  void moved(Side side, const Piece& piece, Sink& sink) {
    if (state_ != State::reads) return;
    if (side == Side::requests && lost_[1] && !resume(Side::responses, {}, 0, sink)) {
      state_ = State::lost;
      return;
    }
    if (!lost_[index(side)] && !piece.head.empty()) read(side, piece.head, 0, sink);
    if (piece.hidden() > 0) hide(side, piece.hidden(), sink);
    if (!lost_[index(side)] && !piece.tail.empty()) read(side, piece.tail, piece.head.size(), sink);
    if (state_ != State::reads || !lost_[index(side)]) return;
    const bool whole = piece.tail.empty() && piece.hidden() == 0;
    const std::string_view last = whole ? piece.head : piece.tail;
    if (last.empty() || resume(side, last, whole ? 0 : piece.head.size(), sink)) return;
    if (!proved())
      state_ = refused_ ? State::foreign : State::lost;
    else if (side == Side::requests)
      state_ = State::lost;
  }

  std::unique_ptr<Machine> take() { return std::move(machine_); }

 private:
  Stream(Kind kind, std::unique_ptr<Machine> machine, bool found)
      : kind_(kind), machine_(std::move(machine)), found_(found) {}
  static std::size_t index(Side side) { return static_cast<std::size_t>(side); }

  template <class Sink>
  void read(Side side, std::string_view bytes, std::size_t at, Sink& sink) {
    while (!bytes.empty() && state_ == State::reads) {
      const Token t = machine_->next(side, bytes);
      if (t.size == 0) {
        refused_ = true;
        return lose(side, sink);
      }
      sink.token(side, t, bytes.substr(0, t.size), at);
      answered_ = answered_ || (side == Side::responses && t.ends);
      at += t.size;
      bytes.remove_prefix(t.size);
      if (machine_->turns_to_tls()) state_ = State::tls;
    }
  }

  template <class Sink>
  void hide(Side side, std::uint64_t n, Sink& sink) {
    if (lost_[index(side)]) return;
    if (!machine_->skip(side, n)) return lose(side, sink);
    sink.unseen(side, n);
  }

  template <class Sink>
  void lose(Side side, Sink& sink) {
    lost_[index(side)] = true;
    sink.lost(side);
  }

  template <class Sink>
  bool resume(Side side, std::string_view last, std::size_t at, Sink& sink) {
    Token ended;
    if (!machine_->resume(side, last, ended)) return false;
    lost_[index(side)] = false;
    sink.resumed(side, ended, last, at);
    return true;
  }

  Kind kind_;
  std::unique_ptr<Machine> machine_;
  State state_ = State::reads;
  std::array<bool, 2> lost_ = {false, false};
  bool found_, answered_ = false, refused_ = false;
};

// Finds the protocol of a connection whose beginning was not seen: by an I/O that is a request and then, in the other
// direction, one that answers it; or by two requests of protocols that are proved by one alone.
class Finder {
 public:
  // Bytes move in this direction (0 out, 1 in) of a connection that sends requests in `requests`, -1 where that is not
  // known. True: this I/O proves the protocol, and is the next for the machine.
  bool moved(unsigned direction, int requests, const Piece& piece);
  // Only this protocol can be found.
  void only(Kind kind) { only_ = kind; }
  // The request that was found began in the I/O before: the server read its header alone.
  bool began_before() const { return began_before_; }
  // A request was found and waits for its answer; the direction it moved in.
  bool asked() const { return machine_ != nullptr; }
  // How many requests were found so far, of which the last is the first that the machine has read.
  std::uint32_t found() const { return found_; }
  unsigned requests() const { return requests_; }
  Kind kind() const { return kind_; }
  // The machine behind the request, in front of the answer.
  std::unique_ptr<Machine> take() { return std::move(machine_); }
  void forget() { machine_.reset(); }

 private:
  static constexpr std::size_t kLongestHeader = 12;
  bool ask(unsigned direction, int requests, const Piece& piece);
  bool ask(unsigned direction, Side side, const Piece& piece);
  bool ask_joined(unsigned direction, int requests, const Piece& piece);
  bool read(const Piece& piece);
  bool answered(unsigned direction, const Piece& piece);
  unsigned asking() const { return side_ == Side::requests ? requests_ : 1 - requests_; }

  Kind kind_{};
  Side side_ = Side::requests;  // of what was found
  unsigned requests_ = 0;
  std::uint32_t found_ = 0;
  std::optional<Kind> only_;
  bool began_before_ = false;
  unsigned older_ = 0;  // answers to older requests
  std::string header_;  // all of the last I/O of a direction, if it may be no more than a header
  unsigned header_direction_ = 0;
  std::unique_ptr<Machine> machine_;
};

}  // namespace tailcap::formats::calls
