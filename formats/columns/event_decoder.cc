#include "formats/columns/event_decoder.h"

#include <algorithm>
#include <array>
#include <limits>

#include "formats/fields/names.h"

namespace tailcap::formats::columns {
namespace {

// Refs have 16 bits and 0 has a meaning of its own. It also bounds what is allocated here.
constexpr std::size_t kMaxTable = 0xffff;
constexpr std::uint32_t kNone = 0xffffffff;

// Otherwise made by the reader, or of a later version.
bool may_be_stored(std::uint8_t kind) { return kind < kKinds && is_stored(static_cast<Kind>(kind)); }

Time minus(Time t, std::uint64_t ns) {
  return time_from(static_cast<std::int64_t>(static_cast<std::uint64_t>(nanoseconds(t)) - ns));
}

class EventDecoder {
 public:
  EventDecoder(const BlockColumns<ColumnView>& columns, std::vector<Event>& out) : c_(columns), out_(out) {}

  const char* run(const BlockHeader& header);
  // Gives the choice the events that it wants.
  const char* choose(const BlockHeader& header, EventChoice& choice);

 private:
  struct SocketState {
    std::uint64_t next_out = 0, next_in = 0;
    std::uint32_t next_arrival = 0;
  };

  // Reads on after the first defect give zeros; damage_ is looked at once per event.
  void damaged(const char* why) { damage_ = damage_ != nullptr ? damage_ : why; }

  template <class T>
  T sparse(const ColumnView<T>& column, std::size_t& at) {
    if (column.size() != 0 && at >= column.size()) {
      damaged("a sparse column is too short");
      return T{};
    }
    return column[at++];
  }

  Time checked(Time t) {
    if (!within_range(t)) damaged("a time is out of range");
    return t;
  }
  Time checked(std::int64_t ns) { return checked(time_from(ns)); }
  Duration checked_duration(std::int64_t ns) { return checked(time_from(ns)).time_since_epoch(); }

  const char* begin();
  Time next_time(std::size_t i, Time before);
  void read_thread(std::size_t i, std::uint8_t kind);
  // Whether the choice passes the i-th event of its kind over. Then reads on as if it had been made, as far as others
  // depend on it.
  bool passes(EventChoice& choice, Kind kind, std::size_t i);
  bool answer(EventChoice& choice, Kind kind, SocketId id, std::uint8_t& rest);
  template <class K>
  void pass_moved(const K& k, std::uint64_t& expected, std::size_t i, std::size_t& position, std::size_t& missed);
  SocketId socket(std::uint16_t ref);
  std::string_view piece(std::uint16_t ref);
  std::array<std::uint8_t, 16> address(std::uint16_t ref);
  SocketId socket_beside(std::uint16_t ref, const char* missing);

  // Reads the body of the i-th event of a kind: as the kind's table says, then what read_own adds.
  using Read = void (EventDecoder::*)(Event&, std::size_t);
  static const std::array<Read, kKinds> kReads;
  template <Kind kKind>
  void read_body(Event& event, std::size_t i);
  template <As kAs, class T, class N>
  void read_field(T& value, N stored, Time time);

  template <class B>
  void read_own(const KindColumns<B, ColumnView>&, B&, Time, std::size_t) {}
  void read_own(const KindColumns<Io, ColumnView>& k, Io& io, Time, std::size_t i);
  void read_own(const KindColumns<Arrival, ColumnView>& k, Arrival& arrival, Time, std::size_t i);
  void read_own(const KindColumns<TlsIo, ColumnView>& k, TlsIo& io, Time time, std::size_t i);
  void read_own(const KindColumns<OffCpu, ColumnView>& k, OffCpu& off, Time time, std::size_t i);
  void read_own(const KindColumns<ClockSnapshot, ColumnView>&, ClockSnapshot& clock, Time, std::size_t);
  void read_own(const KindColumns<Loss, ColumnView>&, Loss& loss, Time, std::size_t);
  template <class K, class AnyIo>
  void read_moved(const K& k, AnyIo& io, std::size_t i, std::size_t& position, std::size_t& missed);

  const BlockColumns<ColumnView>& c_;
  std::vector<Event>& out_;
  const char* damage_ = nullptr;
  std::array<std::uint32_t, 256> done_{};           // events of each kind so far
  std::array<std::uint32_t, 256> last_thread_{};    // by kind, an index; kNone at first
  std::vector<std::uint32_t> socket_of_thread_;     // by thread index
  std::vector<SocketState> socket_states_;          // by socket index
  std::vector<std::uint8_t> passed_;                // likewise: EventChoice::Answer::pass_block
  std::array<std::uint8_t, kKinds> passed_kind_{};  // the same of kinds without a socket
  std::uint32_t thread_ = 0, socket_ = 0;           // indices of the event at hand
  std::size_t time_far_ = 0;
  std::array<std::size_t, 2> position_{}, missed_{}, error_{};  // sparse columns of sends and receives
  std::size_t arrival_position_ = 0, arrival_missed_ = 0, left_ = 0, runnable_ = 0, off_missed_ = 0, stolen_ = 0;
  std::array<std::size_t, 2> tls_position_{}, tls_missed_{}, tls_began_{};
  std::uint64_t lost_ = 0;
};

const char* EventDecoder::begin() {
  if (c_.pids.size() > kMaxTable || c_.sockets.size() > kMaxTable || c_.goroutines.size() > kMaxTable ||
      c_.piece_ends.size() > kMaxTable)
    return "a table has too many entries";
  for (std::size_t i = 0, before = 0; i < c_.piece_ends.size(); ++i) {
    const std::size_t end = c_.piece_ends[i];
    if (end < before || end > c_.bytes.size()) return "a piece of bytes ends outside the block";
    before = end;
  }
  last_thread_.fill(kNone);
  socket_of_thread_.assign(c_.pids.size(), kNone);
  socket_states_.assign(c_.sockets.size(), {});
  checked(time_from(c_.base));
  return nullptr;
}

Time EventDecoder::next_time(std::size_t i, Time before) {
  std::uint64_t since = c_.time[i];
  if (since == kFar) since = static_cast<std::uint64_t>(sparse(c_.time_far, time_far_));
  return checked(minus(before, 0 - since));
}

const char* EventDecoder::run(const BlockHeader& header) {
  if (const char* damage = begin()) return damage;
  out_.reserve(c_.order.size());

  Time time = time_from(c_.base), first = kMaxTime, last = kNoTime;
  for (std::size_t i = 0; i < c_.order.size(); ++i) {
    const std::uint8_t kind = c_.order[i];
    time = next_time(i, time);
    first = std::min(first, time);
    last = std::max(last, time);
    read_thread(i, kind);
    if (damage_ != nullptr) return damage_;
    if (!may_be_stored(kind)) continue;
    Event& event = out_.emplace_back();
    event.time = time;
    event.thread = {c_.pids[thread_], c_.tids[thread_]};
    if (const std::uint16_t ref = c_.goroutine[i]; ref != 0) {
      if (ref > c_.goroutines.size()) return "a goroutine is not in the table";
      event.goroutine = c_.goroutines[ref - 1u];
    }
    (this->*kReads[kind])(event, done_[kind]++);
    if (damage_ != nullptr) return damage_;
  }
  if (c_.order.size() > 0 && (first < header.first || last > header.last))
    return "the header gives other times than the events have";
  if (std::min<std::uint64_t>(lost_, std::numeric_limits<std::uint32_t>::max()) != header.lost)
    return "the header counts other losses than the block has";
  return nullptr;
}

const char* EventDecoder::choose(const BlockHeader& header, EventChoice& choice) {
  if (const char* damage = begin()) return damage;
  passed_.assign(c_.sockets.size(), 0);
  Time time = time_from(c_.base);
  for (std::size_t i = 0; i < c_.order.size(); ++i) {
    const std::uint8_t number = c_.order[i];
    const auto kind = static_cast<Kind>(number);
    time = next_time(i, time);
    read_thread(i, number);
    if (damage_ != nullptr) return damage_;
    if (!may_be_stored(number)) continue;
    const std::size_t at = done_[number]++;
    if (may_be_passed_over(kind) && passes(choice, kind, at)) continue;  // damage_: before the next
    if (damage_ != nullptr) return damage_;
    if (time < header.first || time > header.last) return "the header gives other times than the events have";
    Event event;
    event.time = time;
    event.thread = {c_.pids[thread_], c_.tids[thread_]};
    if (const std::uint16_t ref = c_.goroutine[i]; ref != 0) {
      if (ref > c_.goroutines.size()) return "a goroutine is not in the table";
      event.goroutine = c_.goroutines[ref - 1u];
    }
    socket_ = kNone;
    (this->*kReads[number])(event, at);
    if (damage_ != nullptr) return damage_;
    if (socket_ != kNone) passed_[socket_] = 0;
    choice.take(event);
  }
  return damage_;
}

// rest: whether all that follows of this kind, or on this socket, is passed over.
bool EventDecoder::answer(EventChoice& choice, Kind kind, SocketId id, std::uint8_t& rest) {
  if (rest != 0) return true;
  const EventChoice::Answer answer = choice.wants(kind, id);
  rest = answer == EventChoice::Answer::pass_block;
  return answer != EventChoice::Answer::take;
}

template <class K>
void EventDecoder::pass_moved(const K& k, std::uint64_t& expected, std::size_t i, std::size_t& position,
                              std::size_t& missed) {
  const std::uint8_t how = k.how[i];
  expected = ((how & kHowPosition) != 0 ? sparse(k.position, position) : expected) + k.length[i];
  if ((how & kHowMissed) != 0) sparse(k.missed, missed);
}

bool EventDecoder::passes(EventChoice& choice, Kind kind, std::size_t i) {
  // False: it is damaged, or to be made.
  const auto on_socket = [&](std::uint16_t ref) {
    const SocketId id = socket(ref);
    return damage_ == nullptr && answer(choice, kind, id, passed_[socket_]);
  };
  const auto io = [&](const auto& k, std::size_t d, std::uint64_t SocketState::*next) {
    if (!on_socket(k.socket[i])) return false;
    pass_moved(k, socket_states_[socket_].*next, i, position_[d], missed_[d]);
    if ((k.how[i] & kHowError) != 0) sparse(k.error, error_[d]);
    return true;
  };
  const auto of_kind = [&] { return answer(choice, kind, 0, passed_kind_[static_cast<std::size_t>(kind)]); };
  const auto tls = [&](const auto& k, std::size_t d, std::uint64_t SocketState::*next) {
    if (!of_kind()) return false;
    socket_beside(k.session[i], "a TLS session is not in the table");
    if (damage_ != nullptr) return false;
    pass_moved(k, socket_states_[socket_].*next, i, tls_position_[d], tls_missed_[d]);
    if ((k.how[i] & kHowBegan) != 0) sparse(k.began, tls_began_[d]);
    return true;
  };
  constexpr auto kOut = static_cast<std::size_t>(Direction::out), kIn = static_cast<std::size_t>(Direction::in);
  switch (kind) {
    case Kind::send:
      return io(c_.of<Kind::send>(), kOut, &SocketState::next_out);
    case Kind::receive:
      return io(c_.of<Kind::receive>(), kIn, &SocketState::next_in);
    case Kind::tls_send:
      return tls(c_.of<Kind::tls_send>(), kOut, &SocketState::next_out);
    case Kind::tls_receive:
      return tls(c_.of<Kind::tls_receive>(), kIn, &SocketState::next_in);
    case Kind::arrival: {
      const auto& k = c_.of<Kind::arrival>();
      if (!on_socket(k.socket[i])) return false;
      auto& expected = socket_states_[socket_].next_arrival;
      const std::uint8_t how = k.how[i];
      expected = ((how & kHowPosition) != 0 ? sparse(k.position, arrival_position_) : expected) + k.length[i];
      if ((how & kHowMissed) != 0) sparse(k.missed, arrival_missed_);
      return true;
    }
    case Kind::retransmit:
      return on_socket(c_.of<Kind::retransmit>().column<0>()[i]);
    case Kind::off_cpu: {
      if (!of_kind()) return false;
      const auto& k = c_.of<Kind::off_cpu>();
      const std::uint8_t how = k.how[i];
      if ((how & kHowLeft) != 0) sparse(k.left, left_);
      if ((how & kHowNotWoken) == 0 && (how & kHowRunnable) != 0) sparse(k.runnable, runnable_);
      if ((how & kHowOffMissed) != 0) sparse(k.missed, off_missed_);
      if ((how & kHowStolen) != 0) sparse(k.stolen, stolen_);
      return true;
    }
    default:
      return of_kind();  // every column of the others has an entry for each event
  }
}

void EventDecoder::read_thread(std::size_t i, std::uint8_t kind) {
  const std::uint16_t ref = c_.thread[i];
  if (ref != 0) last_thread_[kind] = ref - 1u;
  thread_ = last_thread_[kind];
  if (thread_ >= c_.pids.size()) damaged("a thread is not in the table");
}

SocketId EventDecoder::socket(std::uint16_t ref) {
  std::uint32_t& before = socket_of_thread_[thread_];
  if (ref != 0) before = ref - 1u;
  socket_ = before;
  if (socket_ < c_.sockets.size()) return c_.sockets[socket_];
  damaged("a socket is not in the table");
  return 0;
}

std::string_view EventDecoder::piece(std::uint16_t ref) {
  if (ref == 0) return {};
  if (ref > c_.piece_ends.size()) {
    damaged("a piece of bytes is not in the table");
    return {};
  }
  const std::size_t start = ref == 1 ? 0 : c_.piece_ends[ref - 2u];
  return {c_.bytes.chars() + start, c_.piece_ends[ref - 1u] - start};
}

std::array<std::uint8_t, 16> EventDecoder::address(std::uint16_t ref) {
  std::array<std::uint8_t, 16> bytes{};
  const auto stored = piece(ref);
  if (ref != 0 && stored.size() != bytes.size()) damaged("an address does not have 16 bytes");
  std::copy_n(stored.begin(), std::min(stored.size(), bytes.size()), bytes.begin());
  return bytes;
}

// A ref that takes no part in the rule for sockets left out.
SocketId EventDecoder::socket_beside(std::uint16_t ref, const char* missing) {
  socket_ = ref - 1u;
  if (socket_ < c_.sockets.size()) return c_.sockets[socket_];
  damaged(missing);
  return 0;
}

template <As kAs, class T, class N>
void EventDecoder::read_field(T& value, N stored, Time time) {
  if constexpr (kAs == As::socket)
    value = socket(stored);
  else if constexpr (kAs == As::other_socket)
    value = stored == 0 ? 0 : socket_beside(stored, "a socket is not in the table");
  else if constexpr (kAs == As::session)
    value = socket_beside(stored, "a TLS session is not in the table");
  else if constexpr (kAs == As::took)
    value = checked(minus(time, stored));
  else if constexpr (kAs == As::less_one)
    value = stored + 1;
  else if constexpr (std::is_same_v<T, std::string_view>)
    value = piece(stored);
  else if constexpr (std::is_same_v<T, Address>)
    value.bytes = address(stored);
  else if constexpr (std::is_same_v<T, Time>)
    value = checked(stored);
  else if constexpr (std::is_same_v<T, Duration>)
    value = checked_duration(stored);
  else if constexpr (std::is_same_v<T, bool>)
    value = stored != 0;
  else if constexpr (std::is_enum_v<T>)
    value = from_number<T>(stored);
  else
    value = stored;
}

template <Kind kKind>
void EventDecoder::read_body(Event& event, std::size_t i) {
  using B = BodyOf<kKind>;
  if constexpr (is_stored(kKind)) {
    B& body = event.body.emplace<B>();
    if constexpr (kTwoKinds<B>) body.direction = kKind == Table<B>::kinds[0].kind ? Direction::out : Direction::in;
    const auto& k = c_.of<kKind>();
    k.each_field(body, [&](const auto& field, auto& value, const auto& column) {
      read_field<std::remove_cvref_t<decltype(field)>::as>(value, column[i], event.time);
    });
    read_own(k, body, event.time, i);
  }
}

const std::array<EventDecoder::Read, kKinds> EventDecoder::kReads =
    []<std::size_t... kind>(std::index_sequence<kind...>) {
  return std::array<Read, kKinds>{&EventDecoder::read_body<static_cast<Kind>(kind)>...};
}
(std::make_index_sequence<kKinds>());

// What sends and receives of sockets and of TLS sessions have in common; position and missed: how far the sparse
// columns are read. The socket or session has been read.
template <class K, class AnyIo>
void EventDecoder::read_moved(const K& k, AnyIo& io, std::size_t i, std::size_t& position, std::size_t& missed) {
  const std::uint8_t how = k.how[i];
  auto& expected = io.direction == Direction::out ? socket_states_[socket_].next_out : socket_states_[socket_].next_in;
  io.payload = from_number<Payload>(how & kHowPayload);
  io.continued = (how & kHowContinued) != 0;
  io.length = k.length[i];
  io.position = (how & kHowPosition) != 0 ? sparse(k.position, position) : expected;
  expected = io.position + io.length;
  if ((how & kHowMissed) != 0) io.missed = sparse(k.missed, missed);
  io.head = piece(k.head[i]);
  io.tail = piece(k.tail[i]);
}

void EventDecoder::read_own(const KindColumns<Io, ColumnView>& k, Io& io, Time, std::size_t i) {
  io.socket = socket(k.socket[i]);
  if (damage_ != nullptr) return;
  const auto d = static_cast<std::size_t>(io.direction);
  read_moved(k, io, i, position_[d], missed_[d]);
  io.truncated = (k.how[i] & kHowTruncated) != 0;
  io.syscall = k.syscall[i];
  if ((k.how[i] & kHowError) != 0) io.error = sparse(k.error, error_[d]);
}

void EventDecoder::read_own(const KindColumns<Arrival, ColumnView>& k, Arrival& arrival, Time, std::size_t i) {
  arrival.socket = socket(k.socket[i]);
  if (damage_ != nullptr) return;
  const std::uint8_t how = k.how[i];
  auto& expected = socket_states_[socket_].next_arrival;
  arrival.position = (how & kHowPosition) != 0 ? sparse(k.position, arrival_position_) : expected;
  arrival.length = k.length[i];
  expected = arrival.position + arrival.length;
  if ((how & kHowMissed) != 0) arrival.missed = sparse(k.missed, arrival_missed_);
}

void EventDecoder::read_own(const KindColumns<OffCpu, ColumnView>& k, OffCpu& off, Time time, std::size_t i) {
  const std::uint8_t how = k.how[i];
  off.left = checked((how & kHowLeft) != 0 ? time_from(sparse(k.left, left_)) : minus(time, k.off[i]));
  if ((how & kHowNotWoken) == 0) {
    off.runnable =
        checked((how & kHowRunnable) != 0 ? time_from(sparse(k.runnable, runnable_)) : minus(time, k.queued[i]));
  }
  if ((how & kHowOffMissed) != 0) off.missed = sparse(k.missed, off_missed_);
  off.throttled = (how & kHowThrottled) != 0;
  off.timed = (how & kHowTimed) != 0;
  off.ongoing = (how & kHowOngoing) != 0;
  if ((how & kHowStolen) != 0) off.stolen = checked_duration(sparse(k.stolen, stolen_));
}

void EventDecoder::read_own(const KindColumns<TlsIo, ColumnView>& k, TlsIo& io, Time time, std::size_t i) {
  io.session = socket_beside(k.session[i], "a TLS session is not in the table");
  if (damage_ != nullptr) return;
  const auto d = static_cast<std::size_t>(io.direction);
  read_moved(k, io, i, tls_position_[d], tls_missed_[d]);
  io.began = checked((k.how[i] & kHowBegan) != 0 ? time_from(sparse(k.began, tls_began_[d])) : minus(time, k.took[i]));
}

// Consumers subtract these from times.
void EventDecoder::read_own(const KindColumns<ClockSnapshot, ColumnView>&, ClockSnapshot& clock, Time, std::size_t) {
  if (clock.realtime < -nanoseconds(kMaxTime) || clock.realtime > nanoseconds(kMaxTime))
    damaged("a wall-clock time is out of range");
  checked(clock.boottime);
}

void EventDecoder::read_own(const KindColumns<Loss, ColumnView>&, Loss& loss, Time, std::size_t) {
  lost_ = lost_ + loss.count < lost_ ? std::numeric_limits<std::uint64_t>::max() : lost_ + loss.count;
}

}  // namespace

const char* events_from(const BlockColumns<ColumnView>& columns, const BlockHeader& header, std::vector<Event>& out) {
  return EventDecoder(columns, out).run(header);
}

const char* choose_events(const BlockColumns<ColumnView>& columns, const BlockHeader& header, EventChoice& choice) {
  std::vector<Event> none;
  return EventDecoder(columns, none).choose(header, choice);
}

}  // namespace tailcap::formats::columns
