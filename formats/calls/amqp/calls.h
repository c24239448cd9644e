// Which messages of a connection are calls, and which answer them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "formats/calls/amqp/methods.h"
#include "formats/calls/amqp/outstanding.h"
#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::amqp {

// A message as it was read.
struct Read {
  const Method* method = nullptr;  // null: an unknown one
  std::uint16_t channel = 0;
  std::uint8_t bits = 0;
  std::uint16_t culprit = 0;  // of a close: the method that it names
  // The lengths of a content's names and bodies, mixed: they stay when it is returned. 0: unknown.
  std::uint32_t print = 0;
  std::uint64_t tag = 0;
};

class Calls {
 public:
  // whole: nothing was sent before.
  explicit Calls(bool whole) : whole_(whole) {}
  // A message has ended: fills in how.
  void end(Side side, const Read& message, Token& token);
  // The next of the calls that the last message answers, too. 0: none.
  std::uint32_t further_call();
  // Some messages were not seen: what was open stays so.
  void lose();

 private:
  struct Ask {
    std::uint16_t method = 0;
    std::uint32_t call = 0;
  };
  struct Channel {
    static constexpr std::size_t kMostAsks = 8;  // clients wait for an answer before they ask anew

    bool known = false;        // it was opened in view
    bool closed = false;       // by the server: it reads no more
    bool leaves = false;       // the client closes it: it reads no more
    bool confirms = false;     // the server acknowledges publishes
    bool counted = false;      // all of them
    bool settles = false;      // the client has acknowledged
    bool acked = false;        // a consumer acknowledges
    bool unacked = false;      // a consumer does not
    std::uint8_t asks = 0;     // of `asked`
    std::uint32_t beyond = 0;  // asks behind them, which have no place there
    std::uint32_t consumers = 0;
    std::uint32_t print = 0, returns = 0;                       // at least N messages with this print came back
    std::uint64_t doubtful = 0;                                 // up to this tag, all may have been returned
    std::uint64_t published = 0, confirmed = 0, delivered = 0;  // the highest tags
    Outstanding::List publishes, mandatory, deliveries;
    std::array<Ask, kMostAsks> asked{};  // the oldest first

    void consume(bool acknowledges);
    void cancel();
    bool acknowledges() const;
    std::size_t find(std::uint16_t method) const;
    std::uint32_t take(std::size_t ask);
  };
  // An answer that was recorded before what it answers: another CPU recorded that.
  struct Early {
    enum class What : std::uint8_t { ask, publish, delivery };
    What what{};
    std::uint16_t channel = 0;
    std::uint64_t tag = 0;  // of an ask: the method
    std::uint32_t call = 0;
  };
  using What = Early::What;
  static constexpr std::size_t kMostChannels = 1024, kMostEarly = 16;

  std::uint32_t next_call();
  Channel* channel(std::uint16_t number);
  void erase(std::uint16_t number);
  void forget(Channel& c);
  void ask(const Read& m, Token& t);
  void publish(const Read& m, Token& t);
  void deliver(const Read& m, Token& t);
  void answer(const Read& m, Token& t);
  void settle(Side side, const Read& m, Token& t);
  void returned(const Read& m, Token& t);
  void close_channel(const Read& m, Token& t);
  void close_connection(const Read& m, Token& t);
  void settle_publish(Channel& c, Outstanding::Place place);
  void settle_publishes(Channel& c, std::uint64_t tag);
  // False: too many.
  bool add_early(What what, std::uint16_t channel, std::uint64_t first, std::uint64_t last);
  // 0: none.
  std::uint32_t take_early(What what, std::uint16_t channel, std::uint64_t tag);

  std::unordered_map<std::uint16_t, Channel> channels_;
  Channel* last_ = nullptr;  // of them
  std::uint16_t last_number_ = 0;
  Outstanding publishes_, deliveries_;
  std::array<Early, kMostEarly> early_{};
  std::size_t earlies_ = 0;
  std::uint32_t further_early_ = 0, further_earlies_ = 0;  // calls that the last message answers early
  std::uint32_t calls_ = 0;
  bool whole_;
  bool closed_ = false;  // by the server
};

}  // namespace tailcap::formats::calls::amqp
