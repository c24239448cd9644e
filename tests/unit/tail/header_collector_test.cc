// Which header fields of requests are kept for comparison.
#include "analyze/tail/rows/header_collector.h"

#include <gtest/gtest.h>

#include <string>

namespace tailcap {
namespace {

struct Collected {
  tail::HeaderCollector collector;
  model::TextPool texts;
  std::uint32_t rows = 0;

  void add(std::initializer_list<std::pair<std::string, std::string>> fields) {
    model::Exchange e;
    for (const auto& [name, value] : fields) e.request_headers.add(name, value);
    collector.push(e, texts);
    ++rows;
  }
  // Fields by row, separated by commas, in any order of the sets: one field each in these tests.
  std::vector<std::string> take() {
    std::vector<std::uint32_t> from;
    for (std::uint32_t i = rows; i-- > 0;) from.push_back(i);  // sorted the other way round
    const model::HeaderSets sets = collector.take(from);
    std::vector<std::string> out;
    for (std::uint32_t i = rows; i-- > 0;) {
      std::string text;
      for (const model::TextId id : sets.fields(i)) text += (text.empty() ? "" : ",") + std::string(texts[id]);
      out.push_back(text);
    }
    return out;
  }
};

TEST(HeaderCollector, NamesInAnyCaseAndNoValuesThatAreTheRequestsOwn) {
  Collected c;
  c.add({{"X-Tenant", "acme"}, {"Content-Length", "7"}, {"Host", "h"}});
  c.add({{"x-tenant", "globex"}});
  c.add({{"x-tenant", "globex"}});
  c.add({{"authorization", "*****"}});
  c.add({});
  EXPECT_EQ(c.take(), (std::vector<std::string>{"x-tenant: acme", "x-tenant: globex", "x-tenant: globex", "", ""}));
}

TEST(HeaderCollector, AFieldWithManyValuesIsLeftOut) {
  Collected c;
  for (int i = 0; i < 100; ++i) c.add({{"x-number", std::to_string(i)}, {"x-tenant", i % 2 == 0 ? "a" : "b"}});
  const auto found = c.take();
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(found[static_cast<std::size_t>(i)], i % 2 == 0 ? "x-tenant: a" : "x-tenant: b");
}

}  // namespace
}  // namespace tailcap
