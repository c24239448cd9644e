// What servers and clients of MySQL exchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/calls/mysql/mysql.h"

namespace tailcap::formats::calls::mysql_test {

using namespace std::string_literals;

struct Io {
  Side side;
  std::string bytes;
};
using Talk = std::vector<Io>;

// MariaDB 10.11 and node-mysql 2.18: EOF packets, an error, a procedure with two results.
inline const Talk kClassic = {
    {Side::responses,
     "h\0\0\0\0125.5.5-10.11.19-MariaDB-0+deb12u1-log\0\12\0\0\00066JQ;pC>\0\376\367\10\2\0\377\201\25\0"
     "\0\0\0\0\0\35\0\0\0MFYj*3^_EwKQ\0mysql_native_password\0"s},
    {Side::requests,
     "9\0\0\1\317\363\7\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0u\0\24jL\230\375\204\355"
     "\332\355{\374\15b&\204\231\221\13\313q\223t\0"s},
    {Side::responses, "\7\0\0\2\0\0\0\2\0\0\0"s},
    {Side::requests, "\23\0\0\0\3select 0 a, 's0' b"s},
    {Side::responses,
     "\1\0\0\1\2\27\0\0\2\3def\0\0\0\1a\0\14\?\0\1\0\0\0\3\201\0\0\0\0\27\0\0\3\3def\0\0\0\1b\0\14!\0\6\0"
     "\0\0\375\1\0'\0\0\5\0\0\4\376\0\0\2\0\5\0\0\5\0010\2s0\5\0\0\6\376\0\0\2\0"s},
    {Side::requests, "\13\0\0\0\3select bad"s},
    {Side::responses, ")\0\0\1\377\36\4#42S22Unknown column 'bad' in 'SELECT'"s},
    {Side::requests, "\1\0\0\0\16"s},
    {Side::responses, "\7\0\0\1\0\0\0\2\0\0\0"s},
    {Side::requests, "\15\0\0\0\3call t.p(@x)"s},
    {Side::responses,
     "\1\0\0\1\2\27\0\0\2\3def\0\0\0\0011\0\14\?\0\1\0\0\0\3\201\0\0\0\0\27\0\0\3\3def\0\0\0\0012\0\14\?"
     "\0\1\0\0\0\3\201\0\0\0\0\5\0\0\4\376\0\0\12\0\4\0\0\5\0011\0012\5\0\0\6\376\0\0\12\0\1\0\0\7\1\33\0"
     "\0\10\3def\1t\1c\1c\1a\1a\14!\0X\2\0\0\375\0\0\0\0\0\5\0\0\11\376\0\0*\0\2\0\0\12\1z\6\0\0\13\5alice"
     "\6\0\0\14\5alice\6\0\0\15\5alice\6\0\0\16\5alice\6\0\0\17\5alice\6\0\0\20\5alice\6\0\0\21\5alice\6"
     "\0\0\22\5alice\6\0\0\23\5alice\6\0\0\24\5alice\2\0\0\25\1q\3\0\0\26\2rr\4\0\0\27\3sss\6\0\0\30\5alic"
     "e\6\0\0\31\5alice\6\0\0\32\5alice\6\0\0\33\5alice\6\0\0\34\5alice\5\0\0\35\376\0\0*\0\7\0\0\36\0\0"
     "\0\"\0\0\0"s},
};

// MariaDB 10.11 with CLIENT_DEPRECATE_EOF: several results, a prepared statement, a cursor, the end of the connection.
inline const Talk kDeprecated = {
    {Side::responses,
     "d\0\0\0\0125.5.5-10.11.19-MariaDB-0+deb12u1\0\4\0\0\0+Jv4<qDB\0\376\377\10\2\0\377\201\25\0\0\0\0\0"
     "\0\35\0\0\0].jL~Wtf!o0=\0mysql_native_password\0"s},
    {Side::requests,
     "O\0\0\1\217\242\17\1\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0u\0\24\220\275\340<i\271"
     "\220\256\6.\352\331\377\242\200j\304\316SUt\0mysql_native_password\0"s},
    {Side::responses, "\7\0\0\2\0\0\0\2\0\0\0"s},
    {Side::requests, "\17\0\0\0\3select 1, null"s},
    {Side::responses,
     "\1\0\0\1\2\27\0\0\2\3def\0\0\0\0011\0\14\?\0\1\0\0\0\3\201\0\0\0\0\32\0\0\3\3def\0\0\0\4NULL\0\14\?"
     "\0\0\0\0\0\6\200\0\0\0\0\3\0\0\4\0011\373\7\0\0\5\376\0\0\2\0\0\0"s},
    {Side::requests, "(\0\0\0\3select 1; do 1; select 2 from c where 0"s},
    {Side::responses,
     "\1\0\0\1\1\27\0\0\2\3def\0\0\0\0011\0\14\?\0\1\0\0\0\3\201\0\0\0\0\2\0\0\3\0011\7\0\0\4\376\0\0\12"
     "\0\0\0\7\0\0\5\0\0\0\12\0\0\0\1\0\0\6\1\27\0\0\7\3def\0\0\0\0012\0\14\?\0\1\0\0\0\3\201\0\0\0\0\7\0"
     "\0\10\376\0\0\2\0\0\0"s},
    {Side::requests, "\37\0\0\0\26select \?, id from c where id<3"s},
    {Side::responses,
     "\14\0\0\1\0\1\0\0\0\2\0\1\0\0\0\0\27\0\0\2\3def\0\0\0\1\?\0\14\?\0\0\0\0\0\6\200\0\0\0\0\27\0\0\3"
     "\3def\0\0\0\1\?\0\14\?\0\0\0\0\0\6\200\0\0\0\0\35\0\0\4\3def\1t\1c\1c\2id\2id\14\?\0\13\0\0\0\3\3B"
     "\0\0\0"s},
    {Side::requests, "\22\0\0\0\27\1\0\0\0\0\1\0\0\0\0\1\3\0\7\0\0\0"s},
    {Side::responses,
     "\1\0\0\1\2\27\0\0\2\3def\0\0\0\1\?\0\14\?\0\13\0\0\0\3\201\0\0\0\0\35\0\0\3\3def\1t\1c\1c\2id\2id"
     "\14\?\0\13\0\0\0\3\3B\0\0\0\12\0\0\4\0\0\7\0\0\0\1\0\0\0\12\0\0\5\0\0\7\0\0\0\2\0\0\0\7\0\0\6\376\0"
     "\0\2\0\0\0"s},
    {Side::requests, "\22\0\0\0\27\1\0\0\0\0\1\0\0\0\0\1\3\0\7\0\0\0"s},
    {Side::responses,
     "\1\0\0\1\2\27\0\0\2\3def\0\0\0\1\?\0\14\?\0\13\0\0\0\3\201\0\0\0\0\35\0\0\3\3def\1t\1c\1c\2id\2id"
     "\14\?\0\13\0\0\0\3\3B\0\0\0\12\0\0\4\0\0\7\0\0\0\1\0\0\0\12\0\0\5\0\0\7\0\0\0\2\0\0\0\7\0\0\6\376\0"
     "\0\2\0\0\0"s},
    {Side::requests, "\22\0\0\0\27\1\0\0\0\1\1\0\0\0\0\1\3\0\7\0\0\0"s},
    {Side::responses,
     "\1\0\0\1\2\30\0\0\2\3def\0\0\0\1\?\1\?\14\?\0\13\0\0\0\3\1\0\0\0\0\35\0\0\3\3def\1t\1c\1c\2id\2id"
     "\14\?\0\13\0\0\0\3\1\0\0\0\0\7\0\0\4\376\0\0B\0\0\0"s},
    {Side::requests, "\11\0\0\0\34\1\0\0\0\2\0\0\0"s},
    {Side::responses, "\12\0\0\1\0\0\7\0\0\0\1\0\0\0\12\0\0\2\0\0\7\0\0\0\2\0\0\0\7\0\0\3\376\0\0B\0\0\0"s},
    {Side::requests, "\11\0\0\0\34\1\0\0\0\2\0\0\0"s},
    {Side::responses, "\7\0\0\1\376\0\0\202\0\0\0"s},
    {Side::requests, "\33\0\0\0\26insert into l(a) values(\?)"s},
    {Side::responses, "\14\0\0\1\0\2\0\0\0\0\0\1\0\0\0\0\27\0\0\2\3def\0\0\0\1\?\0\14\?\0\0\0\0\0\6\200\0\0\0\0"s},
    {Side::requests, "\25\0\0\0\3kill connection_id()"s},
    {Side::responses, "\36\0\0\1\377\207\7#70100Connection was killed"s},
};

// MariaDB 10.11 with CACHE_METADATA: the second EXECUTE has no definitions.
inline const Talk kCached = {
    {Side::responses,
     "d\0\0\0\0125.5.5-10.11.19-MariaDB-0+deb12u1\0\6\0\0\0aQOx/|H2\0\376\377\10\2\0\377\201\25\0\0\0\0\0"
     "\0\35\0\0\0^fb<D#|l'yPc\0mysql_native_password\0"s},
    {Side::requests,
     "O\0\0\1\216\242\17\1\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\35\0\0\0u\0\24-\227|\362\301"
     "\363\\\370\317y\264:T\0002lO-\23Ht\0mysql_native_password\0"s},
    {Side::responses, "\7\0\0\2\0\0\0\2\0\0\0"s},
    {Side::requests, "\37\0\0\0\26select \?, id from c where id<3"s},
    {Side::responses,
     "\14\0\0\1\0\13\0\0\0\2\0\1\0\0\0\0\30\0\0\2\3def\0\0\0\1\?\0\0\14\?\0\0\0\0\0\6\200\0\0\0\0\30\0\0"
     "\3\3def\0\0\0\1\?\0\0\14\?\0\0\0\0\0\6\200\0\0\0\0\36\0\0\4\3def\1t\1c\1c\2id\2id\0\14\?\0\13\0\0\0"
     "\3\3B\0\0\0"s},
    {Side::requests, "\22\0\0\0\27\13\0\0\0\0\1\0\0\0\0\1\3\0\7\0\0\0"s},
    {Side::responses,
     "\2\0\0\1\2\1\30\0\0\2\3def\0\0\0\1\?\0\0\14\?\0\13\0\0\0\3\201\0\0\0\0\36\0\0\3\3def\1t\1c\1c\2id"
     "\2id\0\14\?\0\13\0\0\0\3\3B\0\0\0\12\0\0\4\0\0\7\0\0\0\1\0\0\0\12\0\0\5\0\0\7\0\0\0\2\0\0\0\7\0\0\6"
     "\376\0\0\2\0\0\0"s},
    {Side::requests, "\22\0\0\0\27\13\0\0\0\0\1\0\0\0\0\1\3\0\7\0\0\0"s},
    {Side::responses,
     "\2\0\0\1\2\0\12\0\0\2\0\0\7\0\0\0\1\0\0\0\12\0\0\3\0\0\7\0\0\0\2\0\0\0\7\0\0\4\376\0\0\2\0\0\0"s},
    {Side::requests, "\22\0\0\0\27\13\0\0\0\1\1\0\0\0\0\1\3\0\7\0\0\0"s},
    {Side::responses,
     "\2\0\0\1\2\1\31\0\0\2\3def\0\0\0\1\?\1\?\0\14\?\0\13\0\0\0\3\1\0\0\0\0\36\0\0\3\3def\1t\1c\1c\2id"
     "\2id\0\14\?\0\13\0\0\0\3\1\0\0\0\0\7\0\0\4\376\0\0B\0\0\0"s},
};

inline std::string packet(std::uint8_t sequence, std::string_view payload) {
  const std::size_t n = payload.size();
  std::string bytes = {static_cast<char>(n), static_cast<char>(n >> 8), static_cast<char>(n >> 16),
                       static_cast<char>(sequence)};
  return bytes.append(payload);
}

}  // namespace tailcap::formats::calls::mysql_test
