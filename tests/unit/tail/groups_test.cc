// Routes distinguished by a header field; calls inherit it from their parent.
#include "analyze/tail/rows/groups.h"

#include <gtest/gtest.h>

#include <set>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/unit/partition/partition_case.h"

namespace tailcap {
namespace {

constexpr Thread kA{10, 11};

std::string of(const std::string& target, const std::string& tenant) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + (tenant.empty() ? "" : "X-Tenant-Id: " + tenant + "\r\n") +
         "\r\n";
}

struct Tenants : PartitionCase {
  std::set<std::string> routes(const std::string& by, std::string filter = "") {
    pipeline::Options options;
    options.by = by;
    if (!filter.empty()) options.filters.emplace_back(filter);
    const pipeline::Analysis a = pipeline::analyze(synth::plain_preamble(), s.with_end(), options);
    std::set<std::string> out;
    for (const model::Request row : a.table.rows)
      out.insert(std::string(model::name_of(row.role)) + " " + std::string(a.table.texts[row.route]));
    return out;
  }
  void request(Duration at, const std::string& target, const std::string& tenant) {
    Endpoint& in = accepted(kA);
    in.receive(at, at, of(target, tenant));
    in.send(at + 1ms, kOk);
  }
};

TEST(Groups, EachValueHasRoutesOfItsOwn) {
  Tenants t;
  t.request(1ms, "/cart/1", "acme");
  t.request(3ms, "/cart/2", "acme");
  t.request(5ms, "/cart/3", "zeta");
  t.request(7ms, "/cart/4", "");
  EXPECT_EQ(t.routes("x-tenant-id"),
            (std::set<std::string>{"server /cart/{} [x-tenant-id: acme]", "server /cart/{} [x-tenant-id: zeta]",
                                   "server /cart/{} [no x-tenant-id]"}));
  EXPECT_EQ(t.routes(""), (std::set<std::string>{"server /cart/{}"}));
  EXPECT_EQ(t.routes("x-tenant-id", "route contains \"zeta\""),
            (std::set<std::string>{"server /cart/{} [x-tenant-id: zeta]"}));
}

TEST(Groups, CallsBelongToWhoMadeThem) {
  Tenants t;
  Endpoint& in = t.accepted(kA);
  Endpoint& out = t.connected(kA);
  in.receive(1ms, 1ms, of("/cart/1", "acme"));
  out.send(2ms, of("/stock", ""));
  t.s.off_cpu(kA, {.left = 2100us, .runnable = 5ms, .on = 5ms, .syscall = kRecvfrom});
  out.receive(5ms, 5ms + 10us, kOk);
  in.send(6ms, kOk);
  EXPECT_EQ(t.routes("X-TENANT-ID"),
            (std::set<std::string>{"server /cart/{} [X-TENANT-ID: acme]", "client /stock [X-TENANT-ID: acme]"}));
}

TEST(Groups, TooManyValuesAreOthers) {
  Tenants t;
  for (std::size_t n = 0; n < tail::kMaxGroups + 5; ++n) t.request(1ms + n * 2ms, "/a", "tenant" + std::to_string(n));
  const auto routes = t.routes("x-tenant-id");
  EXPECT_EQ(routes.size(), tail::kMaxGroups + 1);
  EXPECT_TRUE(routes.contains("server /a [x-tenant-id: (other)]"));
}

}  // namespace
}  // namespace tailcap
