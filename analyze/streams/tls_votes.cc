#include "analyze/streams/tls_votes.h"

#include <algorithm>
#include <array>
#include <optional>

#include "analyze/streams/tls_records.h"
#include "formats/event.h"

namespace tailcap::streams {

using formats::Direction;
using model::BindingHow;

namespace {

// Transfers of a thread that are remembered: those inside one call of the library.
constexpr std::size_t kMaxRecent = 64;
// An offer that is not taken for this long belongs to something else: a session ticket, a handshake, a call that was
// lost.
constexpr formats::Duration kOfferAge = std::chrono::seconds{1};
// The least that a record adds: its header and an 8-byte tag (TLS 1.3 with CCM_8 has one byte more).
constexpr std::uint32_t kLeastAdded = kRecordHeader + 8;

// Overhead of a record's payload over its plaintext, by cipher: TLS 1.3 adds the content type and a tag of 16
// (CCM_8: 8); TLS 1.2 a tag of 16 (ChaCha20), with an explicit nonce of 8 (GCM). CBC pads, so its lengths prove
// nothing.
constexpr std::array<std::uint32_t, 5> kOverheads = {17, 24, 16, 9, 32};

bool is_overhead(std::uint32_t encrypted, std::uint32_t plain) {
  return encrypted > plain && is_record_overhead(encrypted - plain);
}

}  // namespace

bool is_record_overhead(std::uint64_t added) {
  return std::find(kOverheads.begin(), kOverheads.end(), added) != kOverheads.end();
}

void Ledger::age(formats::Time at) {
  while (!offers_.empty() && offers_.front().at + kOfferAge < at) {
    if (offers_.front().stale && debt_ > 0) --debt_;
    offers_.erase(offers_.begin());
  }
}

void Ledger::offer(std::uint64_t owner, std::uint32_t amount, formats::Time at) {
  age(at);
  if (offers_.size() >= kMaxOffers) {
    clear();
    distrust_ = at + kOfferAge;
  }
  offers_.push_back({owner, amount, false, at});
}

void Ledger::extend(std::uint64_t owner, std::uint32_t amount) {
  if (offers_.empty() || offers_.back().owner != owner) return;
  offers_.back().amount += std::min(amount, UINT32_MAX - offers_.back().amount);
}

bool Ledger::larger(std::uint32_t amount) const {
  return std::any_of(offers_.begin(), offers_.end(), [&](const Offer& o) { return o.amount > amount; });
}

void Ledger::drop(std::uint64_t owner) {
  if (offers_.empty()) return;
  std::erase_if(offers_, [&](const Offer& o) { return o.owner == owner; });
  take_stale();
}

// All indistinguishable offers are taken: the remaining ones are certain again.
void Ledger::take_stale() {
  const auto stale =
      static_cast<std::size_t>(std::count_if(offers_.begin(), offers_.end(), [](const Offer& o) { return o.stale; }));
  if (debt_ < stale) return;
  std::erase_if(offers_, [](const Offer& o) { return o.stale; });
  debt_ = 0;
}

Ledger::Claim Ledger::claim(std::uint32_t amount, bool encrypted, formats::Time at) {
  Claim claim;
  if (offers_.empty()) return claim;
  age(at);
  // A session hands over long writes in records of the largest size.
  const auto fits = [&](const Offer& o) {
    return encrypted ? is_overhead(amount, std::min(o.amount, kMaxPlainRecord)) : is_overhead(o.amount, amount);
  };
  bool several = false, stale = false;
  std::size_t first = offers_.size();
  for (std::size_t i = 0; i < offers_.size(); ++i) {
    if (!fits(offers_[i])) continue;
    claim.fits = true;
    stale = stale || offers_[i].stale;
    if (first == offers_.size())
      first = i;
    else if (offers_[i].owner != offers_[first].owner)
      several = true;
  }
  if (!claim.fits) return claim;
  if (several || stale) {
    for (Offer& o : offers_)
      if (fits(o)) o.stale = true;
    ++debt_;
    take_stale();
    return claim;
  }
  Offer& taken = offers_[first];
  const std::uint64_t owner = taken.owner;
  claim.owner = formats::known(distrust_) && at < distrust_ ? 0 : owner;
  claim.overhead = encrypted ? amount - std::min(taken.amount, kMaxPlainRecord) : taken.amount - amount;
  // The owner's bytes are in order: what it offered before is gone, too.
  const bool more = encrypted && taken.amount > kMaxPlainRecord;
  if (more) taken.amount -= kMaxPlainRecord;
  std::size_t i = 0;
  std::erase_if(offers_, [&](const Offer& o) {
    const std::size_t n = i++;
    return o.owner == owner && (n < first || (n == first && !more));
  });
  return claim;
}

TlsVotes::Track* TlsVotes::track(std::uint32_t tid) {
  if (threads_.size() >= kMaxThreads) threads_.clear();
  std::unique_ptr<Track>& t = threads_[tid];
  if (!t) t = std::make_unique<Track>();
  if (t->generation != generation_) {
    t->generation = generation_;
    t->read.clear();
    t->written.clear();
    t->partial = 0;
  }
  return t.get();
}

void TlsVotes::remember(Track& t, const Moved& moved) {
  if (t.recent.size() >= kMaxRecent) t.recent.erase(t.recent.begin(), t.recent.begin() + kMaxRecent / 2);
  t.recent.push_back(moved);
}

std::span<const Vote> TlsVotes::transfer(const formats::Event& e, const formats::Io& io,
                                         std::span<const std::uint32_t> records) {
  votes_.clear();
  if (e.thread.tid == 0 || io.length == 0) return votes_;
  Track& t = *track(e.thread.tid);
  // Out of order: the call that may have contained it has already been reported. No transfer is inside two calls.
  if (formats::known(t.call_done) && e.time <= t.call_done) return votes_;
  remember(t, {{false, io.socket}, io.direction, records.empty() ? 0 : records.back(), io.length, e.time});
  for (const std::uint32_t length : records) {
    if (io.direction == Direction::in) {
      t.read.offer(io.socket, length, e.time);
      continue;
    }
    const Ledger::Claim claim = t.written.claim(length, true, e.time);
    if (claim.owner != 0)
      votes_.push_back({claim.owner, {false, io.socket}, BindingHow::lengths, false, claim.overhead, 0});
  }
  return votes_;
}

std::span<const Vote> TlsVotes::call(const formats::Event& e, const formats::TlsIo& io, formats::TlsLibrary library) {
  votes_.clear();
  if (e.thread.tid == 0 || io.length == 0) return votes_;
  Track& t = *track(e.thread.tid);
  if (io.continued) {
    if (io.direction == Direction::out)
      t.written.extend(io.session, io.length);
    else if (t.partial_session == io.session)
      by_length(t, e, io);
    return votes_;
  }
  const formats::Time began = formats::known(io.began) && io.began <= e.time ? io.began : e.time;
  if (library == formats::TlsLibrary::go)
    of_go(t, io, began);
  else
    nested(t, e, io, began);
  t.call_done = std::max(t.call_done, e.time);
  return votes_;
}

void TlsVotes::nested(Track& t, const formats::Event& e, const formats::TlsIo& io, formats::Time began) {
  std::optional<Moved> inside;
  bool several = false;
  while (!t.recent.empty() && t.recent.back().done > began) {
    const Moved moved = t.recent.back();
    t.recent.pop_back();
    if (moved.carrier == CarrierKey{true, io.session}) continue;
    if (!inside) {
      inside = moved;
      if (moved.direction != io.direction) inside->length = 0;
    } else if (!(inside->carrier == moved.carrier)) {
      several = true;
    } else if (moved.direction == io.direction) {
      inside->length += moved.length;
    }
  }
  // A call of the library inside another's is, for that, a transfer.
  remember(t, {{true, io.session}, io.direction, 0, io.length, e.time});
  if (several) return;
  if (!inside) return by_length(t, e, io);
  if (!inside->carrier.session) t.read.drop(inside->carrier.id);
  const bool plausible = inside->length >= std::uint64_t{io.length} + kLeastAdded;
  // The kernel encrypts (kTLS): the lengths are those of the plaintext.
  const bool kernel = inside->length == io.length && !inside->carrier.session;
  if (inside->carrier.session && !plausible) return;
  votes_.push_back({io.session, inside->carrier, BindingHow::nested, (plausible || kernel) && !inside->carrier.session,
                    0, inside->length});
}

void TlsVotes::by_length(Track& t, const formats::Event& e, const formats::TlsIo& io) {
  if (io.direction == Direction::out) return t.written.offer(io.session, io.length, e.time);
  if (t.partial_session != io.session) {
    t.partial_session = io.session;
    t.partial = 0;
  }
  t.partial += std::min(io.length, UINT32_MAX - t.partial);
  const Ledger::Claim claim = t.read.claim(t.partial, false, e.time);
  if (claim.owner != 0)
    votes_.push_back({io.session, {false, claim.owner}, BindingHow::lengths, false, claim.overhead, 0});
  if (claim.fits || !t.read.larger(t.partial)) t.partial = 0;
}

// A goroutine leaves its thread while it waits, and others work there meanwhile; but it is on the thread on which it
// returns when it makes its last socket call. So the last transfer counts.
void TlsVotes::of_go(Track& t, const formats::TlsIo& io, formats::Time began) {
  const Moved* last = nullptr;
  std::uint64_t length = 0;
  for (auto m = t.recent.rbegin(); m != t.recent.rend() && m->done > began; ++m) {
    if (m->direction != io.direction || m->carrier.session) continue;
    if (!last) last = &*m;
    if (m->carrier == last->carrier) length += m->length;
  }
  if (!last || length < std::uint64_t{io.length} + kLeastAdded) return;
  const CarrierKey carrier = last->carrier;
  votes_.push_back({io.session, carrier, BindingHow::nested, is_overhead(last->last_record, io.length), 0, length});
  std::erase_if(t.recent, [&](const Moved& m) { return m.carrier == carrier && m.direction == io.direction; });
}

void VoteTally::add(const Vote& vote) {
  constexpr std::size_t kMaxCandidates = 8;
  auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.carrier == vote.carrier; });
  if (at == entries_.end()) {
    if (entries_.size() >= kMaxCandidates) return refuse();
    at = entries_.insert(at, {vote.carrier});
  }
  if (vote.how == BindingHow::lengths) {
    if (overhead_ != 0 && overhead_ != vote.overhead) return refuse();  // one session has one cipher
    overhead_ = vote.overhead;
    at->lengths += at->lengths < UINT32_MAX;
  } else {
    std::uint32_t& n = vote.strong ? at->strong : at->weak;
    n += n < UINT32_MAX;
  }
}

VoteTally::Verdict VoteTally::verdict(formats::TlsLibrary library) const {
  if (refused_) return {};
  const Entry* best = nullptr;
  const auto score = [](const Entry& e) { return 2 * std::uint64_t{e.strong} + e.weak; };
  std::uint64_t others = 0;
  for (const Entry& e : entries_) {
    if (score(e) == 0) continue;
    if (!best || score(e) > score(*best)) {
      if (best) others += score(*best);
      best = &e;
    } else {
      others += score(e);
    }
  }
  if (best) {
    // A goroutine that was moved between its socket call and its return can vote for a stranger, rarely.
    const bool clear = library == formats::TlsLibrary::go ? others * 8 <= score(*best) : others == 0;
    return clear && score(*best) >= 2 ? Verdict{BindingHow::nested, best->carrier} : Verdict{};
  }
  if (entries_.size() != 1 || entries_[0].lengths < 2) return {};
  return {BindingHow::lengths, entries_[0].carrier};
}

}  // namespace tailcap::streams
