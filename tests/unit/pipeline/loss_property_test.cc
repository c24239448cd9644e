// Never wrong: whatever events are lost and however little payload is kept, all that is reported of a request is true.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/synth/chain.h"
#include "tests/synth/pairs.h"
#include "tests/synth/scenario.h"

namespace tailcap::loss_property_test {
namespace {

using namespace std::chrono_literals;
using formats::Event;
using synth::Endpoint;
using synth::Pair;
using synth::Scenario;

// A connection with a dozen requests, each with its own target and status, sent in pieces.
std::vector<Pair> conversation(std::mt19937_64& random) {
  std::vector<Pair> all;
  for (int i = 0; i < 12; ++i) {
    Pair p;
    p.method = random() % 4 == 0 ? "HEAD" : random() % 2 ? "GET" : "POST";
    p.target = "/target/" + std::to_string(i);
    p.status = 400 + i;
    const std::string up(random() % 200, 'u'), down(random() % 300, 'd');
    p.request =
        p.method + " " + p.target + " HTTP/1.1\r\nHost: h\r\nCookie: " + std::string(random() % 60, 'c') + "\r\n";
    p.response = "HTTP/1.1 " + std::to_string(p.status) + " X\r\nServer: s\r\n";
    if (p.method == "POST") {
      p.request_bytes = up.size();
      p.request += "Content-Length: " + std::to_string(up.size()) + "\r\n\r\n" + up;
    } else {
      p.request += "\r\n";
    }
    p.response_bytes = p.method == "HEAD" ? 0 : down.size();
    if (random() % 2) {
      p.response += "Transfer-Encoding: chunked\r\n\r\n";
      std::string body;
      for (std::size_t at = 0; at < down.size(); at += 40) {
        const std::string part = down.substr(at, 40);
        char size[8];
        std::snprintf(size, sizeof size, "%zx\r\n", part.size());
        body += size + part + "\r\n";
      }
      if (p.method != "HEAD") p.response += body + "0\r\n\r\n";
    } else {
      p.response += "Content-Length: " + std::to_string(down.size()) + "\r\n\r\n";
      if (p.method != "HEAD") p.response += down;
    }
    all.push_back(std::move(p));
  }
  return all;
}

void play(Scenario& s, const std::vector<Pair>& pairs, bool server, bool existed, std::mt19937_64& random) {
  synth::Opening o;
  o.origin = existed ? formats::Origin::existed : server ? formats::Origin::accepted : formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  formats::Duration t = 1ms;
  const auto move = [&](bool in, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t n = std::min<std::size_t>(bytes.size() - at, 1 + random() % 300);
      const std::string_view part = std::string_view(bytes).substr(at, n);
      t += 1ms;
      in ? e.receive(t, t + 300us, part) : e.send(t, part);
      at += n;
    }
  };
  for (const Pair& p : pairs) {
    move(server, p.request);
    t += 5ms;
    move(!server, p.response);
    t += 7ms;
  }
  if (server)
    e.shut_down(t + 1ms).close(t + 2ms);
  else
    e.fin_arrives(t + 1ms).eof(t + 2ms).shut_down(t + 3ms).close(t + 4ms);
}

std::uint16_t* missed_of(Event& e) {
  if (auto* io = std::get_if<formats::Io>(&e.body)) return &io->missed;
  if (auto* a = std::get_if<formats::Arrival>(&e.body)) return &a->missed;
  return nullptr;
}

// The events except those with indexes in `lost`; losses are reported as by the recorder.
std::vector<Event> without(const std::vector<Event>& all, const std::set<std::size_t>& lost) {
  std::vector<Event> kept;
  std::uint16_t missed = 0;
  formats::Time last = synth::kStart;
  for (std::size_t i = 0; i < all.size(); ++i) {
    last = all[i].time;
    if (lost.count(i)) {
      ++missed;
      continue;
    }
    Event e = all[i];
    if (std::uint16_t* m = missed_of(e)) {
      *m = missed;
      missed = 0;
    }
    // The loss is known before any decision: the next block contains it.
    if (missed > 0 && std::holds_alternative<formats::StateChange>(e.body))
      kept.push_back({e.time, {}, formats::Loss{synth::kStart, formats::LossCause::ring_full, 255, missed}});
    kept.push_back(e);
  }
  kept.push_back({last, {}, formats::CaptureEnd{}});
  return kept;
}

struct Tally {
  std::size_t exchanges = 0, complete = 0;
};

void expect_true(const synth::Result& r, const std::vector<Pair>& pairs,
                 const std::map<std::string, model::Exchange>& truth, const std::string& what, Tally& tally) {
  std::set<std::string> seen;
  for (const model::Exchange& x : r.exchanges) {
    ++tally.exchanges;
    if (x.target.empty()) {
      EXPECT_FALSE(x.complete) << what << synth::describe(x);
      continue;
    }
    EXPECT_TRUE(seen.insert(x.target).second) << what << "twice: " << synth::describe(x);
    const auto p = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& q) { return q.target == x.target; });
    ASSERT_NE(p, pairs.end()) << what << "an invented request: " << synth::describe(x);
    const std::string context = what + synth::describe(x);
    EXPECT_EQ(x.method, p->method) << context;
    if (x.status != 0) {
      EXPECT_EQ(x.status, p->status) << context;
    }
    if (x.request_bytes && !has(x.taints, model::Taint::cut_off) && x.complete) {
      EXPECT_EQ(*x.request_bytes, p->request_bytes) << context;
    }
    if (x.response_bytes && x.outcome == model::Outcome::client_error) {
      EXPECT_EQ(x.response_bytes, p->response_bytes) << context;
    }
    if (!x.complete) continue;
    ++tally.complete;
    EXPECT_NE(x.status, 0) << context;
    const model::Exchange& t = truth.at(x.target);
    EXPECT_EQ(x.request.first_done, t.request.first_done) << context;
    EXPECT_EQ(x.request.last_done, t.request.last_done) << context;
    EXPECT_EQ(x.response.first_done, t.response.first_done) << context;
    EXPECT_EQ(x.response.last_done, t.response.last_done) << context;
    if (formats::known(x.request.first_arrived)) {
      EXPECT_EQ(x.request.first_arrived, t.request.first_arrived) << context;
    }
    if (formats::known(x.response.first_arrived)) {
      EXPECT_EQ(x.response.first_arrived, t.response.first_arrived) << context;
    }
  }
}

class Loss : public ::testing::TestWithParam<bool> {};

TEST_P(Loss, NothingFalseIsSaid) {
  Tally none, some;
  // TAILCAP_SEEDS=FIRST-LAST runs other seeds.
  unsigned first = 1, last = 3;
  if (const char* seeds = std::getenv("TAILCAP_SEEDS")) std::sscanf(seeds, "%u-%u", &first, &last);
  for (unsigned seed = first; seed <= last; ++seed) {
    std::mt19937_64 random(seed);
    const std::vector<Pair> pairs = conversation(random);
    Scenario full;
    std::mt19937_64 pieces(seed);
    play(full, pairs, GetParam(), false, pieces);
    const auto whole = synth::analyse(full.with_end());
    ASSERT_EQ(whole.exchanges.size(), pairs.size());
    std::map<std::string, model::Exchange> truth;
    for (const auto& x : whole.exchanges) {
      ASSERT_TRUE(x.complete) << synth::describe(x);
      truth[x.target] = x;
    }
    for (const std::size_t kept : {1u << 20, 200u, 100u, 60u, 30u, 10u, 0u}) {
      Scenario s;
      s.keep_payload(kept, 16);
      std::mt19937_64 same(seed);
      play(s, pairs, GetParam(), seed % 4 == 0, same);
      const auto events = s.events();
      const std::string what = "seed " + std::to_string(seed) + ", kept " + std::to_string(kept);
      expect_true(synth::analyse(without(events, {})), pairs, truth, what + "\n", none);
      for (std::size_t i = 1; i < events.size(); ++i) {
        const bool io = std::holds_alternative<formats::Io>(events[i].body) ||
                        std::holds_alternative<formats::Arrival>(events[i].body);
        if (!io) continue;
        expect_true(synth::analyse(without(events, {i})), pairs, truth, what + ", lost " + std::to_string(i) + "\n",
                    some);
        std::set<std::size_t> several;
        for (std::size_t k = 0; k < 1 + random() % 6; ++k)
          several.insert(std::min(events.size() - 5, i + random() % 8));
        expect_true(synth::analyse(without(events, several)), pairs, truth,
                    what + ", lost several at " + std::to_string(i) + "\n", some);
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
  // Nor may it avoid errors by reporting nothing.
  EXPECT_GT(none.complete, none.exchanges / 2);
  EXPECT_GT(some.complete, some.exchanges / 2);
  RecordProperty("exchanges", static_cast<int>(some.exchanges));
}

INSTANTIATE_TEST_SUITE_P(Ends, Loss, ::testing::Bool(),
                         [](const auto& i) { return std::string(i.param ? "server" : "client"); });

}  // namespace
}  // namespace tailcap::loss_property_test
