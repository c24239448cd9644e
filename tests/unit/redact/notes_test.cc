// What is left of the notes of a capture.
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "analyze/redact/fields.h"

namespace tailcap::redact::notes_test {
namespace {

std::string left(const std::string& key, const std::string& value, const RedactionPolicy& policy = RedactionPolicy()) {
  Pseudonyms names("0123456789abcdef");
  EventRedactor redactor(policy, names);
  formats::Preamble original;
  original.notes.emplace_back(key, value);
  const formats::Preamble redacted = redactor.preamble(original);
  for (const auto& [k, v] : redacted.notes)
    if (k == key) return v;
  return "(no such note)";
}

constexpr const char* kNumbers = "\tserver\t12,1000,2000,3000,4000,5000";

TEST(NotesOfACut, NamesOfRoutesAreMaskedAsRequestTargets) {
  const auto route = [](const std::string& name) { return left("tailcap.cut.route.0", "GET " + name + kNumbers); };
  EXPECT_EQ(route("/cart/{}/items/*"), std::string("GET /cart/{}/items/*") + kNumbers);
  EXPECT_EQ(route("/"), std::string("GET /") + kNumbers);
  for (const char* secret : {"jane@example.com", "jsessionid=deadbeef01", "4f6c1d2e9a8b47c0a1b2c3d4e5f60718"}) {
    const std::string got = route("/users/" + std::string(secret) + "/orders");
    EXPECT_EQ(got.find(secret), got.npos) << got;
    EXPECT_TRUE(got.starts_with("GET /users/")) << got;
    EXPECT_TRUE(got.ends_with(std::string("/orders") + kNumbers)) << got;
  }
  const std::string matrix = route("/cart;jsessionid=deadbeef01");
  EXPECT_EQ(matrix.find("deadbeef01"), matrix.npos) << matrix;
}

TEST(NotesOfACut, StrictKeepsNoWord) {
  const std::string got =
      left("tailcap.cut.route.0", std::string("GET /users/orders") + kNumbers, RedactionPolicy(RedactionLevel::strict));
  EXPECT_EQ(got.find("orders"), got.npos) << got;
}

TEST(NotesOfACut, NumbersAreKept) {
  EXPECT_EQ(left("tailcap.cut.requests", "5000"), "5000");
  EXPECT_EQ(left("tailcap.cut.ids", "1.1,2.7"), "1.1,2.7");
}

std::string left_of_lock(const std::string& value, const RedactionPolicy& policy) {
  Pseudonyms names("0123456789abcdef");
  EventRedactor redactor(policy, names);
  formats::Event event{formats::kNoTime, {7, 7}, formats::Note{"tailcap.lock", value}};
  redactor.apply(event);
  const auto& note = std::get<formats::Note>(event.body);
  EXPECT_EQ(note.key, "tailcap.lock");
  return std::string(note.value);
}

TEST(NotesOfLocks, NamesOfVariablesAreTreatedAsThoseOfFunctions) {
  const std::string strict = left_of_lock("7f001234 acme_mutex+0x10", RedactionPolicy(RedactionLevel::strict));
  EXPECT_TRUE(strict.starts_with("7f001234 ")) << strict;
  EXPECT_EQ(strict.find("acme"), strict.npos) << strict;
  EXPECT_TRUE(left_of_lock("7f001234 cart_mutex", RedactionPolicy()).starts_with("7f001234 "));
  EXPECT_EQ(left_of_lock("jane cart_mutex", RedactionPolicy()), "");
}

TEST(NotesOfMemory, PathsOfCgroupsAreTreated) {
  const std::string strict =
      left("tailcap.memory", "4096 4000 5 7:2000 /acme-shop", RedactionPolicy(RedactionLevel::strict));
  EXPECT_EQ(strict.find("acme"), strict.npos) << strict;
}

TEST(NotesOfFileLocks, NumbersAreKept) { EXPECT_EQ(left("tailcap.file_lock", "4711"), "4711"); }

}  // namespace
}  // namespace tailcap::redact::notes_test
