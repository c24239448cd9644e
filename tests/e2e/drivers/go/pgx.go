package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

func init() {
	drivers["pgx"] = func(store string) work {
		background := context.Background()
		pool, err := pgxpool.Connect(background, "postgres://postgres@127.0.0.1:"+store+"/postgres?sslmode=disable&pool_min_conns=4&pool_max_conns=4")
		must(err)
		return func(mark string, c *calls) {
			s, err := pool.Acquire(background)
			must(err)
			defer s.Release()
			count := func(query string, values ...any) (n int) {
				rows, err := s.Query(background, query, values...)
				must(err)
				for rows.Next() {
					n++
				}
				must(rows.Err())
				return n
			}
			simple := pgx.QuerySimpleProtocol(true)
			fails := func(operation string, resource any, query string, values ...any) {
				_, err := s.Exec(background, query, values...)
				var failed *pgconn.PgError
				if !errors.As(err, &failed) {
					panic(err)
				}
				c.made(operation, resource, failed.Code, nil)
			}
			count("SELECT 1 AS m_"+mark, simple)
			c.made("SELECT", nil, nil, 1)
			_, err = s.Exec(background, "INSERT INTO items VALUES ($1, $2)", mark, nil)
			must(err)
			c.made("INSERT", "items", nil, 1)
			count("SELECT name FROM items WHERE id = $1", mark)
			c.made("SELECT", "items", nil, 1)
			fails("INSERT", "items", "INSERT INTO items VALUES ($1, $2)", mark, "again")
			fails("SELECT", "missing", "SELECT * FROM missing", simple)
			fails("SELEC", nil, "SELEC 1", simple)
			fails("PREPARE", "missing", "SELECT * FROM missing WHERE id = $1", mark)
			batch := &pgx.Batch{}
			for i := 0; i < 20; i++ {
				batch.Queue("INSERT INTO items VALUES ($1, $2)", fmt.Sprint(mark, "b", i), "batch")
				c.made("INSERT", "items", nil, 1)
			}
			must(s.SendBatch(background, batch).Close())
			t, err := s.Begin(background)
			must(err)
			c.made("BEGIN", nil, nil, nil)
			_, err = t.Exec(background, "DELETE FROM items WHERE id = $1", mark)
			must(err)
			c.made("DELETE", "items", nil, 1)
			must(t.Rollback(background))
			c.made("ROLLBACK", nil, nil, nil)
			count("SELECT i, repeat('x', 200) FROM generate_series(1, 6000) i")
			c.made("SELECT", "generate_series", nil, 6000)
			var rows [][]any
			for i := 0; i < 200; i++ {
				rows = append(rows, []any{fmt.Sprint(mark, "c", i), "copied"})
			}
			c.made("PREPARE", "items", nil, nil)
			_, err = s.CopyFrom(background, pgx.Identifier{"items"}, []string{"id", "name"}, pgx.CopyFromRows(rows))
			must(err)
			c.made("COPY", "items", nil, 200)
			count("SELECT 1 AS e_"+mark, simple)
			c.made("SELECT", nil, nil, 1)
		}
	}
}
