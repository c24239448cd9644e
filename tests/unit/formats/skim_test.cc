// A choice of the events of a capture is made as they are: what is passed over changes nothing of what comes after it.
#include "formats/skim/skim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tests/unit/formats/formats_samples.h"

namespace tailcap::formats::test {
namespace {

SocketId socket_of(const Event& event) {
  SocketId id = 0;
  std::visit(
      [&]<class B>(const B& body) {
        if constexpr (std::is_same_v<B, Io> || std::is_same_v<B, Arrival> || std::is_same_v<B, Retransmit>)
          id = body.socket;
      },
      event.body);
  return id;
}

// Is asked of all events in order, and knows which comes.
class Random : public EventChoice {
 public:
  Random(const std::vector<KeptEvent>& all, unsigned seed, double share) : all_(all), random_(seed), share_(share) {}

  Answer wants(Kind kind, SocketId socket) override {
    expect_none_of_other_kinds();
    EXPECT_EQ(kind_of(*all_[at_]), kind);
    EXPECT_EQ(socket_of(*all_[at_]), socket);
    if (std::bernoulli_distribution(share_)(random_)) return Answer::take;
    ++at_;
    return Answer::pass;
  }
  void take(const Event& event) override {
    ASSERT_LT(at_, all_.size());
    EXPECT_TRUE(event == *all_[at_]) << at_ << " " << name_of(kind_of(event));
    ++at_;
    ++taken_;
  }
  std::size_t at() const { return at_; }
  std::size_t taken() const { return taken_; }

 private:
  void expect_none_of_other_kinds() const { EXPECT_TRUE(may_be_passed_over(kind_of(*all_[at_]))) << at_; }

  const std::vector<KeptEvent>& all_;
  std::mt19937 random_;
  const double share_;
  std::size_t at_ = 0, taken_ = 0;
};

// Events of every kind, in several blocks, in an order of their own.
std::vector<KeptEvent> write_all_kinds(const std::string& path, unsigned seed) {
  std::vector<Event> events = extreme_events();
  for (std::uint64_t i = 0; i < 20'000; ++i) events.push_back(request_event(i, kRequest, kResponse));
  std::shuffle(events.begin(), events.end(), std::mt19937(seed));
  {
    Writer writer(path, sample_preamble(), true);
    for (const Event& event : events) writer.push(event);
    writer.finish(kMaxTime);
  }
  return read_all(path);
}

TEST(Skim, MakesEachEventThatIsChosen) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  for (unsigned seed = 1; seed <= 6; ++seed) {
    const std::vector<KeptEvent> all = write_all_kinds(path, seed);
    for (const double share : {0.0, 0.1, 0.9, 1.0}) {
      Random choice(all, seed, share);
      Skim skim(path, seed % 3);
      while (skim.next(choice)) continue;
      EXPECT_TRUE(skim.sound());
      EXPECT_EQ(choice.at() + 1, all.size()) << "all but the end";
      if (share == 1.0) {
        EXPECT_EQ(choice.taken(), choice.at());
      }
    }
  }
}

// Takes one socket only: the others are not asked for again in the same block.
class OfOne : public EventChoice {
 public:
  explicit OfOne(SocketId socket) : socket_(socket) {}
  Answer wants(Kind, SocketId socket) override {
    ++asked_;
    return socket == socket_ ? Answer::take : Answer::pass_block;
  }
  void take(const Event& event) override { taken_.emplace_back(event); }
  const std::vector<KeptEvent>& taken() const { return taken_; }
  std::size_t asked() const { return asked_; }

 private:
  const SocketId socket_;
  std::vector<KeptEvent> taken_;
  std::size_t asked_ = 0;
};

TEST(Skim, AsksForASocketOnceABlockWhereAllOfItIsPassedOver) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  {
    Writer writer(path, sample_preamble(), true);
    for (std::uint64_t i = 0; i < 100'000; ++i) writer.push(request_event(i, kRequest, kResponse));
    writer.finish(kMaxTime);
  }
  OfOne choice(107);
  Skim skim(path);
  std::size_t places = 0;
  std::uint64_t events = 0;
  for (; skim.next(choice); ++places) {
    EXPECT_EQ(skim.place(), places);
    events += skim.events();
  }
  EXPECT_EQ(events, 100'000u);
  std::size_t expected = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const Event event = request_event(i, kRequest, kResponse);
    if (socket_of(event) != 107) continue;
    ASSERT_LT(expected, choice.taken().size());
    EXPECT_TRUE(*choice.taken()[expected++] == event);
  }
  EXPECT_EQ(choice.taken().size(), expected);
  EXPECT_LT(choice.asked(), expected + 64 * places);
}

TEST(Skim, StopsWhereABlockIsDamaged) {
  const Folder folder;
  const auto path = folder / "a.tcap";
  {
    Writer writer(path, sample_preamble(), true);
    for (std::uint64_t i = 0; i < 100'000; ++i) writer.push(request_event(i, kRequest, kResponse));
    writer.finish(kMaxTime);
  }
  std::string bytes = slurp(path);
  bytes[bytes.size() / 2] ^= 1;
  spill(path, bytes);
  OfOne choice(107);
  Skim skim(path);
  while (skim.next(choice)) continue;
  EXPECT_FALSE(skim.sound());
  EXPECT_LT(choice.taken().size(), 100'000u / 64);
}

}  // namespace
}  // namespace tailcap::formats::test
