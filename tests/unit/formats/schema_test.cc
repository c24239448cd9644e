// capture.capnp and the tables of fields say the same: the schema's compiler does not see the tables.
#include <capnp/schema.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "formats/capture.capnp.h"
#include "formats/columns/columns.h"

namespace tailcap::formats::test {
namespace {

using namespace columns;

// Fields whose columns were named before, or hold another form of the value.
std::string column_name(std::string_view field) {
  static const std::map<std::string_view, std::string_view> others = {
      {"of", "goroutine"},         {"lost", "kind"},  {"program_time", "time"},
      {"withheld_sends", "sends"}, {"why", "kind"},   {"withheld_receives", "receives"},
      {"weight", "more"},          {"began", "took"}, {"local", "local_address"},
      {"remote", "remote_address"}};
  const auto other = others.find(field);
  return std::string(other == others.end() ? field : other->second);
}

std::string camel(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_' && i + 1 < name.size())
      out += static_cast<char>(name[++i] - 'a' + 'A');
    else
      out += name[i];
  }
  return out;
}

template <class T>
capnp::schema::Type::Which element() {
  using Which = capnp::schema::Type;
  if (std::is_signed_v<T>) return sizeof(T) == 2 ? Which::INT16 : sizeof(T) == 4 ? Which::INT32 : Which::INT64;
  return sizeof(T) == 1   ? Which::UINT8
         : sizeof(T) == 2 ? Which::UINT16
         : sizeof(T) == 4 ? Which::UINT32
                          : Which::UINT64;
}

TEST(FormatsSchema, has_the_columns_of_the_tables) {
  const auto events = capnp::Schema::from<schema::Events>().getFields();
  BlockColumns<Column> columns;
  columns.each_kind([&]<class B>(const KindEntry& entry, KindColumns<B, Column>& kind) {
    SCOPED_TRACE(entry.name);
    ASSERT_LT(static_cast<unsigned>(entry.number), events.size());
    const auto member = events[static_cast<unsigned>(entry.number)];
    EXPECT_EQ(member.getProto().getName().cStr(), camel(entry.name));
    const auto lists = member.getType().asStruct().getFields();
    ASSERT_EQ(lists.size(), static_cast<unsigned>(kind.kColumns));
    kind.each_column([&]<class T>(int number, const Column<T>&, bool) {
      EXPECT_EQ(lists[static_cast<unsigned>(number)].getType().asList().getElementType().which(), element<T>())
          << "column " << number;
    });
    B body;
    kind.each_field(body, [&](const auto& field, const auto&, const auto&) {
      EXPECT_EQ(lists[static_cast<unsigned>(field.number)].getProto().getName().cStr(), camel(column_name(field.name)));
    });
  });
}

}  // namespace
}  // namespace tailcap::formats::test
