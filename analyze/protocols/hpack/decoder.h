// Header blocks in, fields out (RFC 7541), of one direction of one HTTP/2 connection that is only listened to.
//
// Unlike an endpoint's decoder it never gives up: a field that cannot be known is handed on as unknown, and decoding
// goes on. Blocks must come in the order in which they were sent, every block of the direction (trailers, promises,
// refused streams too); where one is missing, lose() must be called.
#pragma once

#include <cstdint>

#include "analyze/protocols/hpack/block.h"
#include "analyze/protocols/hpack/dynamic_table.h"
#include "analyze/protocols/hpack/field_list.h"

namespace tailcap::protocols::hpack {

enum class Step : std::uint8_t {
  done,     // every field was decoded, known or not
  cut,      // bytes that were not captured hide the rest; the fields before them are good
  invalid,  // the block breaks the rules; the fields before that place are good
};

class Decoder {
 public:
  // No string of a block is longer than the block; decoded from Huffman's code it can be 8/5 of that.
  static constexpr std::size_t kMaxString = 1u << 20;

  // fields is replaced. After cut and invalid the table is uncertain: lose() has been done.
  Step decode(const HeaderBlock& block, FieldList& fields);

  // The recording began after this direction did, or blocks were lost.
  void lose() { table_.lose(); }

  const DynamicTable& table() const { return table_; }

 private:
  class Reader;
  Step decode_fields(Reader& in, FieldList& fields);
  Step indexed(std::uint64_t index, FieldList& fields);
  Step literal(Reader& in, std::uint64_t name_index, bool index_it, bool never_indexed, FieldList& fields);

  DynamicTable table_;
  std::string name_, value_;  // decoded strings of the literal at hand
};

}  // namespace tailcap::protocols::hpack
