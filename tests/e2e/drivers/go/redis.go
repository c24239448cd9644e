package main

import (
	"fmt"
	"strings"

	"github.com/gomodule/redigo/redis"
)

func init() {
	drivers["redigo"] = func(store string) work {
		pool := &redis.Pool{MaxIdle: 4, MaxActive: 4, Wait: true, Dial: func() (redis.Conn, error) { return redis.Dial("tcp", "127.0.0.1:"+store) }}
		return func(mark string, c *calls) {
			s := pool.Get()
			defer s.Close()
			ask := func(operation, key string, command string, values ...any) {
				_, err := s.Do(command, append([]any{fmt.Sprintf(key, mark)}, values...)...)
				var code any
				if err != nil {
					code, _, _ = strings.Cut(err.Error(), " ")
				}
				c.made(operation, fmt.Sprintf(key, "MARK"), code, nil)
			}
			ask("SET", "%s:cart", "SET", "PLANTED")
			ask("GET", "%s:cart", "GET")
			ask("GET", "%s:default", "GET")
			ask("LPUSH", "%s:cart", "LPUSH", "x")
			for i := 0; i < 20; i++ {
				must(s.Send("HSET", mark+":hash", fmt.Sprint("field", i), "x"))
				c.made("HSET", "MARK:hash", nil, nil)
			}
			must(s.Flush())
			for i := 0; i < 20; i++ {
				_, err := s.Receive()
				must(err)
			}
			ask("SET", "%s:blob", "SET", strings.Repeat("x", 1_500_000))
			ask("GET", "%s:blob", "GET")
			ask("BLPOP", "%s:list", "BLPOP", 0.02)
			ask("DEL", "%s:cart", "DEL")
		}
	}
}
