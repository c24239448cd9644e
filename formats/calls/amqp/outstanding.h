// Messages with delivery tags that are not acknowledged yet: by channel in the order of tags, and by tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailcap::formats::calls::amqp {

class Outstanding {
 public:
  using Place = std::uint16_t;
  static constexpr Place kNone = 0xffff;
  static constexpr std::size_t kMost = 16'384;  // of a connection

  struct Message {
    std::uint64_t tag;
    std::uint32_t call;
    std::uint32_t print;  // of a publish: as in Read
    std::uint16_t channel;
    Place before, behind;      // of the channel; behind: of free and settled ones, too
    Place same;                // the next of those whose tags have the same place
    bool mandatory, doubtful;  // doubtful: it may have been returned
  };
  struct List {
    Place first = kNone, last = kNone;
    std::uint32_t count = 0;
  };

  const Message& at(Place place) const { return messages_[place]; }
  void doubt(Place place) { messages_[place].doubtful = true; }

  // Its tag is above all others of the list. False: more are outstanding than are known.
  bool add(List& list, std::uint16_t channel, std::uint64_t tag, std::uint32_t call, std::uint32_t print = 0,
           bool mandatory = false) {
    Place place = free_;
    if (place != kNone) {
      free_ = messages_[place].behind;
    } else {
      if (messages_.size() == kMost) return false;
      if (heads_.empty()) heads_.assign(kHeads, kNone);
      place = static_cast<Place>(messages_.size());
      messages_.emplace_back();
    }
    Place& head = heads_[head_of(channel, tag)];
    messages_[place] = {tag, call, print, channel, list.last, kNone, head, mandatory, false};
    head = place;
    (list.last == kNone ? list.first : messages_[list.last].behind) = place;
    list.last = place;
    ++list.count;
    return true;
  }

  // kNone: there is no such message.
  Place find(std::uint16_t channel, std::uint64_t tag) const {
    if (heads_.empty()) return kNone;
    Place place = heads_[head_of(channel, tag)];
    while (place != kNone && (messages_[place].tag != tag || messages_[place].channel != channel))
      place = messages_[place].same;
    return place;
  }

  // It is answered; next_settled() gives its call.
  void settle(List& list, Place place) {
    remove(list, place);
    (settled_last_ == kNone ? settled_ : messages_[settled_last_].behind) = place;
    settled_last_ = place;
  }
  // The call of the settled message that is the oldest. 0: there is none.
  std::uint32_t next_settled() {
    const Place place = settled_;
    if (place == kNone) return 0;
    settled_ = messages_[place].behind;
    if (settled_ == kNone) settled_last_ = kNone;
    messages_[place].behind = free_;
    free_ = place;
    return messages_[place].call;
  }
  void forget_settled() {
    if (settled_ == kNone) return;
    messages_[settled_last_].behind = free_;
    free_ = settled_;
    settled_ = settled_last_ = kNone;
  }

  // It will not be answered.
  void drop(List& list, Place place) {
    remove(list, place);
    messages_[place].behind = free_;
    free_ = place;
  }
  void clear(List& list) {
    while (list.first != kNone) drop(list, list.first);
  }

 private:
  static constexpr std::size_t kHeads = 4096;
  static std::size_t head_of(std::uint16_t channel, std::uint64_t tag) {
    return static_cast<std::size_t>((tag * 0x9e3779b97f4a7c15ull + channel * 0xd6e8feb86659fd93ull) >> 52);
  }

  void remove(List& list, Place place) {
    Message& m = messages_[place];
    Place* link = &heads_[head_of(m.channel, m.tag)];
    while (*link != place) link = &messages_[*link].same;
    *link = m.same;
    (m.before == kNone ? list.first : messages_[m.before].behind) = m.behind;
    (m.behind == kNone ? list.last : messages_[m.behind].before) = m.before;
    m.behind = kNone;
    --list.count;
  }

  std::vector<Message> messages_;
  std::vector<Place> heads_;
  Place free_ = kNone, settled_ = kNone, settled_last_ = kNone;
};

}  // namespace tailcap::formats::calls::amqp
